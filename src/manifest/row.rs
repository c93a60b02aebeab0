//! Tickets in a manifest: rows of 30 bytes, by rising ticket id.

use ring::digest::{Context, SHA256};

use crate::bytes::Malformed;
use crate::model::{EventHash, TicketHash};

/// Length of a ticket's row.
pub const ROW_LEN: usize = 30;
const ID_LEN: usize = 12;
const FLOOR_AT: usize = 12;
const BITS_AT: usize = 16;
const CODE_AT: usize = 18;
const NO_CODE: CodeHash = CodeHash([0; 12]);

/// Where a ticket stands at its server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum TicketState {
    /// It lets in.
    Valid,
    /// It was cancelled or taken back.
    Revoked,
    /// It is blocked for now.
    Blocked,
    /// It is listed for resale.
    Listed,
}

const STATES: [TicketState; 4] =
    [TicketState::Valid, TicketState::Revoked, TicketState::Blocked, TicketState::Listed];

/// The one kind of code by which a ticket is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Profile {
    /// The signed rotating code of format 1.
    Signed,
    /// B.A.M's own signed code.
    BamSigned,
    /// A text: a barcode of a ticketing system, a `TickeTing` serial.
    Plain,
}

impl Profile {
    /// Reads the number by which the formats name it.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Signed, Self::BamSigned, Self::Plain].get(usize::from(number)).copied()
    }

    /// Whether a code of this kind proves by itself which ticket it is: a text is one only by its row.
    pub(crate) fn works_without_row(self) -> bool {
        self != Self::Plain
    }
}

/// The first 12 bytes of SHA-256 of an event's id and a plain code's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CodeHash(pub [u8; 12]);

impl CodeHash {
    /// The hash of a code of an event.
    pub fn of(event: EventHash, code: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&event.0);
        context.update(code);
        Self(first(context.finish().as_ref()))
    }
}

/// What a manifest says of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketRow {
    /// The ticket.
    pub id: TicketHash,
    /// A lower generation does not let in; 0 for a ticket that is not signed.
    pub floor: u16,
    /// Section code; 0 is the whole event.
    pub section: u16,
    /// Where it stands.
    pub state: TicketState,
    /// Which code lets in.
    pub profile: Profile,
    /// How many times or days, where the ticket has its own number.
    pub entries: Option<u8>,
    /// The hash of the code that never changes, by which it is found; zeros where it has none.
    pub code: CodeHash,
}

impl TicketRow {
    /// Reads 30 bytes, or gives the offset of the field that is not as described.
    fn read(bytes: &[u8; ROW_LEN]) -> Result<Self, usize> {
        let bits = bytes[BITS_AT];
        let row = Self {
            id: TicketHash(first(bytes)),
            floor: u16::from_be_bytes([bytes[12], bytes[13]]),
            section: u16::from_be_bytes([bytes[14], bytes[15]]),
            state: STATES[usize::from(bits & 3)],
            profile: Profile::from_number(bits >> 2).ok_or(BITS_AT)?,
            entries: Some(bytes[17]).filter(|entries| *entries != 0),
            code: CodeHash(first(&bytes[CODE_AT..])),
        };
        row.fault().map_or(Ok(row), Err)
    }

    /// A signed ticket counts generations, and no other does; every other has a code by which it is found.
    pub(super) fn fault(&self) -> Option<usize> {
        let floor = (self.floor == 0) == (self.profile != Profile::Signed);
        let code = self.code != NO_CODE || self.profile == Profile::Signed;
        [(floor, FLOOR_AT), (code, CODE_AT)].into_iter().find(|(holds, _)| !holds).map(|(_, offset)| offset)
    }

    /// The 30 bytes.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.id.0);
        bytes.extend(self.floor.to_be_bytes());
        bytes.extend(self.section.to_be_bytes());
        bytes.push(self.state as u8 | (self.profile as u8) << 2);
        bytes.push(self.entries.unwrap_or(0));
        bytes.extend(self.code.0);
    }
}

/// The row with this number; the table was read before.
pub(super) fn at(rows: &[u8], number: u32) -> TicketRow {
    let begin = number as usize * ROW_LEN;
    let bytes = rows.get(begin..).and_then(<[u8]>::first_chunk);
    // A row that cannot be read was refused when the table was.
    bytes.and_then(|bytes| TicketRow::read(bytes).ok()).unwrap_or(TicketRow {
        id: TicketHash([0; ID_LEN]),
        floor: 0,
        section: 0,
        state: TicketState::Revoked,
        profile: Profile::BamSigned,
        entries: None,
        code: NO_CODE,
    })
}

/// The row of a ticket.
pub(super) fn find(rows: &[u8], id: &TicketHash) -> Option<TicketRow> {
    let (chunks, _) = rows.as_chunks::<ROW_LEN>();
    let found = chunks.binary_search_by(|row| row[..ID_LEN].cmp(&id.0)).ok()?;
    TicketRow::read(&chunks[found]).ok()
}

/// Reads every row, and gives the numbers of those with a code in the order of their codes. No two rows have one
/// code: nobody could tell who stands there.
pub(super) fn by_code(rows: &[u8], malformed: &Malformed) -> Result<Vec<u32>, Malformed> {
    let (chunks, _) = rows.as_chunks::<ROW_LEN>();
    let mut coded = Vec::new();
    for (number, chunk) in chunks.iter().enumerate() {
        let begin = malformed.offset + number * ROW_LEN;
        let row = TicketRow::read(chunk).map_err(|at| Malformed { offset: begin + at })?;
        if row.code != NO_CODE {
            coded.push((row.code, u32::try_from(number).map_err(|_| *malformed)?));
        }
    }
    coded.sort_unstable();
    if let Some(double) = coded.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Malformed { offset: malformed.offset + double[1].1 as usize * ROW_LEN });
    }
    let mut numbers: Vec<_> = coded.into_iter().map(|(_, number)| number).collect();
    // They lie where the codes lay, which need four times as much.
    numbers.shrink_to_fit();
    Ok(numbers)
}

/// The first `N` bytes; callers pass longer slices.
fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[..N]);
    out
}
