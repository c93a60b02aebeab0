package org.ticketwallet

import java.util.concurrent.CountDownLatch
import java.util.concurrent.Semaphore
import org.ticketwallet.core.ClockReading
import org.ticketwallet.core.HostClock
import org.ticketwallet.core.HostClockException
import org.ticketwallet.core.HttpRequest
import org.ticketwallet.core.HttpResponse
import org.ticketwallet.core.HttpTransport
import org.ticketwallet.core.KeyVault
import org.ticketwallet.core.Purpose
import org.ticketwallet.core.SoftwareVault

/** A vault written in Kotlin around the library's own, with [before] run first in every call. */
internal class TestVault(folder: String, @Volatile var before: (String) -> Unit = {}) : KeyVault, AutoCloseable {
    private val inner = SoftwareVault("$folder/vault.json")

    private fun <T> call(name: String, work: () -> T): T {
        before(name)
        return work()
    }

    override fun seal(plaintext: ByteArray, associatedData: ByteArray) =
        call("seal") { inner.seal(plaintext, associatedData) }

    override fun unseal(sealed: ByteArray, associatedData: ByteArray) =
        call("unseal") { inner.unseal(sealed, associatedData) }

    override fun createKey(handle: String) = call("createKey") { inner.createKey(handle) }

    override fun publicKey(handle: String) = call("publicKey") { inner.publicKey(handle) }

    override fun sign(handle: String, purpose: Purpose, message: ByteArray) =
        call("sign") { inner.sign(handle, purpose, message) }

    override fun deleteKey(handle: String) = call("deleteKey") { inner.deleteKey(handle) }

    override fun close() = inner.close()
}

/** A transport whose requests wait, once it is armed, until [release]. */
internal class HeldTransport : HttpTransport {
    private val inner = JvmHttpTransport()
    private val released = CountDownLatch(1)

    /** Whether requests wait. */
    @Volatile
    var armed = false

    /** Has a permit for each request that waits. */
    val waiting = Semaphore(0)

    /** Lets all requests go. */
    fun release() {
        armed = false
        released.countDown()
    }

    override fun checksPins(): Boolean = inner.checksPins()

    override fun send(request: HttpRequest): HttpResponse {
        if (armed) {
            waiting.release()
            released.await()
        }
        return inner.send(request)
    }
}

/** A clock that breaks when told to. */
internal class BreakableClock : HostClock {
    /** Whether it is broken. */
    @Volatile
    var broken = false

    override fun read(): ClockReading {
        if (broken) throw HostClockException.Failed("no battery")
        return ClockReading(System.currentTimeMillis(), System.nanoTime() / 1_000_000, "boot")
    }
}
