package org.ticketwallet.android

import android.content.Context
import java.io.File
import org.ticketwallet.JvmHttpTransport
import org.ticketwallet.TicketBoxOffice
import org.ticketwallet.TicketWallet
import org.ticketwallet.core.Config
import org.ticketwallet.core.Gate
import org.ticketwallet.core.HttpTransport
import org.ticketwallet.core.KeyVault

/** The folders that this package's backup rules leave out. */
private const val FOLDER = "ticket-wallet"
private const val OFFICE_FOLDER = "ticket-wallet-box-office"
private const val GATE_FOLDER = "ticket-wallet-gate"

/**
 * Opens the app's wallet: files in `files/ticket-wallet`, keys in the Android Keystore, the platform's HTTP and trust
 * store, and a clock that counts sleep. Reads files and asks the Keystore: call it off the main thread.
 */
fun openTicketWallet(
    context: Context,
    vault: KeyVault = AndroidKeyVault(),
    transport: HttpTransport = JvmHttpTransport(),
): TicketWallet = TicketWallet.open(filesOf(context, FOLDER), vault, transport, AndroidClock(context))

/** Opens the app's box office in the same way: files in `files/ticket-wallet-box-office`, keys of its own. */
fun openTicketBoxOffice(
    context: Context,
    vault: KeyVault = AndroidKeyVault(OFFICE_FOLDER),
    transport: HttpTransport = JvmHttpTransport(),
): TicketBoxOffice = TicketBoxOffice.open(filesOf(context, OFFICE_FOLDER), vault, transport, AndroidClock(context))

/** Opens the app's gate in the same way: files in `files/ticket-wallet-gate`, keys of its own. */
fun openGate(
    context: Context,
    vault: KeyVault = AndroidKeyVault(GATE_FOLDER),
    transport: HttpTransport = JvmHttpTransport(),
): Gate = Gate.open(Config(filesOf(context, GATE_FOLDER)), vault, AndroidClock(context), transport)

private fun filesOf(context: Context, folder: String): String =
    File(context.applicationContext.filesDir, folder).path
