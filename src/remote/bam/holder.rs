//! `event/v1/ticket/:id/ticket_holder` on the tenant's host: what a ticket's holder answered. One answer for each ticket;
//! a write that is repeated is done again, so that a lost answer is read back before.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use url::Url;

use super::wire::{expected, lenient};
use super::{Bam, path_id, wire};
use crate::error::Error;
use crate::model::HolderQuestion;
use crate::remote::{Reply, Request, Session};

/// Where a ticket or an order is: tenant and the system's id.
pub type TicketPlace<'a> = (Option<&'a str>, &'a str);

/// What a ticket's holder is asked, and what they answered.
#[derive(Clone, PartialEq)]
pub struct HolderForm {
    /// The id of the holder's record.
    pub holder_id: Option<String>,
    /// The answers by the questions' keys, as they came; `None` when there are none yet.
    pub response: Option<Value>,
    /// The questions in their order.
    pub questions: Vec<HolderQuestion>,
    /// The whole record as JSON.
    pub body_json: String,
}

opaque_debug!(HolderForm);

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireHolder {
    #[serde(deserialize_with = "lenient")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    response: Option<Value>,
    #[serde(deserialize_with = "lenient")]
    questionnaire: Option<WireQuestionnaire>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireQuestionnaire {
    #[serde(deserialize_with = "lenient")]
    questionnaire_item: Option<Vec<WireItem>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireItem {
    #[serde(deserialize_with = "lenient")]
    required: Option<bool>,
    #[serde(deserialize_with = "lenient")]
    ordinal_number: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    question: Option<WireQuestion>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireQuestion {
    #[serde(deserialize_with = "lenient")]
    key: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient")]
    kind: Option<String>,
    #[serde(deserialize_with = "lenient")]
    content: Option<String>,
}

impl Bam {
    /// The holder's record; `None` when there is none yet.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn ticket_holder(
        &self,
        session: &Session,
        place: TicketPlace<'_>,
    ) -> Result<Option<Value>, Error> {
        let url = self.holder_url(place, None)?;
        let request = || Request::get(url.clone(), "GET event/v1/ticket/:id/ticket_holder");
        let reply = session.send(&self.http, self, request).await?;
        let found: Value = reply.json::<wire::Data<Value>>()?.data;
        match found {
            Value::Array(list) => Ok(list.into_iter().next()),
            Value::Object(_) => Ok(Some(found)),
            Value::Null => Ok(None),
            _ => Err(reply.unreadable("data")),
        }
    }

    /// What a ticket's holder is asked: the holder's record with `questionnaire.questionnaire_item.question`. `None` when there
    /// is no record yet.
    ///
    /// # Errors
    /// As [`Bam::ticket_holder`].
    pub async fn holder_questions(
        &self,
        session: &Session,
        place: TicketPlace<'_>,
        holder_id: Option<&str>,
    ) -> Result<Option<HolderForm>, Error> {
        let mut url = self.holder_url(place, holder_id)?;
        url.set_query(Some("with=questionnaire.questionnaire_item.question"));
        let endpoint = "GET event/v1/ticket/:id/ticket_holder/:id";
        let reply = session.send(&self.http, self, || Request::get(url.clone(), endpoint)).await?;
        // `data` is the record itself, or a list of it.
        let record: Box<RawValue> = reply.json::<wire::Data<Box<RawValue>>>()?.data;
        let list: Option<Vec<Box<RawValue>>> = serde_json::from_str(record.get()).ok();
        let Some(record) = list.map_or(Some(record), |list| list.into_iter().next()) else { return Ok(None) };
        if record.get() == "null" {
            return Ok(None);
        }
        form(&record).map(Some).ok_or_else(|| reply.unreadable("data"))
    }

    /// Writes the answers: `POST` where there are none yet, else `PATCH`. Returns the holder's record.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn save_ticket_holder(
        &self,
        session: &Session,
        place: TicketPlace<'_>,
        holder_id: Option<&str>,
        response: &Value,
    ) -> Result<Value, Error> {
        let url = self.holder_url(place, holder_id)?;
        let body = json!({ "response": response });
        let request = || match holder_id {
            None => Request::post(url.clone(), "POST event/v1/ticket/:id/ticket_holder", &body),
            Some(_) => Request {
                method: "PATCH",
                ..Request::post(url.clone(), "PATCH event/v1/ticket/:id/ticket_holder/:id", &body)
            },
        };
        let reply: Reply = session.send(&self.http, self, request).await?;
        Ok(reply.json::<wire::Data<Value>>()?.data)
    }

    /// Whether a ticket is gone: `GET event/v1/ticket/:id` answers 404 or 410. `None` when the server does not say.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`] when it cannot be asked now.
    pub async fn is_gone(&self, session: &Session, place: TicketPlace<'_>) -> Result<Option<bool>, Error> {
        let url = self.tenant_url(place.0, &format!("event/v1/ticket/{}", path_id(place.1)?))?;
        let request = || Request::get(url.clone(), "GET event/v1/ticket/:id");
        let reply = session.send(&self.http, self, request).await?;
        match reply.status {
            404 | 410 => Ok(Some(true)),
            408 | 425 | 429 | 500 | 502..600 => Err(reply.error()),
            _ => Ok(reply.is_success().then_some(false)),
        }
    }

    fn holder_url(&self, (tenant, ticket): TicketPlace<'_>, holder: Option<&str>) -> Result<Url, Error> {
        let ticket = path_id(ticket)?;
        let holder = holder.map(path_id).transpose()?.map_or_else(String::new, |id| format!("/{id}"));
        self.tenant_url(tenant, &format!("event/v1/ticket/{ticket}/ticket_holder{holder}"))
    }
}

fn form(record: &RawValue) -> Option<HolderForm> {
    let holder: WireHolder = expected(record.get())?;
    let items = holder.questionnaire.and_then(|form| form.questionnaire_item);
    let mut items = items.unwrap_or_default();
    items.sort_by_key(|item| item.ordinal_number.unwrap_or(i64::MAX));
    let questions = items.into_iter().filter_map(|item| {
        let question = item.question?;
        Some(HolderQuestion {
            key: question.key?,
            content: question.content,
            kind: question.kind,
            required: item.required.unwrap_or(false),
        })
    });
    Some(HolderForm {
        holder_id: holder.id,
        response: holder.response,
        questions: questions.collect(),
        body_json: record.get().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_stand_in_their_order_and_odd_ones_are_left_out() {
        let text = r#"{"id":7,"response":{"city":"Nordhafen"},"questionnaire":{"id":1,"questionnaire_item":[
            {"id":2,"required":false,"ordinal_number":2,"question":{"key":"size","type":"choice","content":"Größe?"}},
            {"id":3,"required":"true","ordinal_number":"1","question":{"key":"city","type":5}},
            {"id":4,"question":{"content":"without a key"}},{"id":5,"question":[]}]}}"#;
        let form = form(&serde_json::from_str::<Box<RawValue>>(text).unwrap()).unwrap();
        assert_eq!((form.holder_id.as_deref(), form.body_json.as_str()), (Some("7"), text));
        assert_eq!(form.response.unwrap()["city"], "Nordhafen");
        let question = |key: &str, content: Option<&str>, kind: &str, required| HolderQuestion {
            key: key.to_owned(),
            content: content.map(str::to_owned),
            kind: Some(kind.to_owned()),
            required,
        };
        let expected = [question("city", None, "5", true), question("size", Some("Größe?"), "choice", false)];
        assert_eq!(form.questions, expected);
    }

    #[test]
    fn a_record_without_questions_has_none() {
        let bare = |json: &str| form(&serde_json::from_str::<Box<RawValue>>(json).unwrap());
        assert_eq!(bare("{}").unwrap().questions, []);
        assert_eq!(bare(r#"{"questionnaire":null,"response":null}"#).unwrap().response, None);
        assert!(bare("7").is_none());
    }
}
