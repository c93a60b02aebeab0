package org.ticketwallet.android

import android.content.Context
import java.io.File
import org.ticketwallet.JvmHttpTransport
import org.ticketwallet.TicketWallet
import org.ticketwallet.core.HttpTransport
import org.ticketwallet.core.KeyVault

/** The folder that this package's backup rules leave out. */
private const val FOLDER = "ticket-wallet"

/**
 * Opens the app's wallet: files in `files/ticket-wallet`, keys in the Android Keystore, the platform's HTTP and trust
 * store, and a clock that counts sleep. Reads files and asks the Keystore: call it off the main thread.
 */
fun openTicketWallet(
    context: Context,
    vault: KeyVault = AndroidKeyVault(),
    transport: HttpTransport = JvmHttpTransport(),
): TicketWallet {
    val folder = File(context.applicationContext.filesDir, FOLDER).path
    return TicketWallet.open(folder, vault, transport, AndroidClock(context))
}
