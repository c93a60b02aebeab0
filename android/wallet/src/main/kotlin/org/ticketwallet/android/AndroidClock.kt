package org.ticketwallet.android

import android.content.ContentResolver
import android.content.Context
import android.os.SystemClock
import android.provider.Settings
import org.ticketwallet.core.ClockReading
import org.ticketwallet.core.HostClock
import org.ticketwallet.core.HostClockException

/** The device's clocks: one that counts sleep and nobody can set, and the number of boots to tell its runs apart. */
class AndroidClock(context: Context) : HostClock {
    private val resolver: ContentResolver = context.applicationContext.contentResolver

    override fun read(): ClockReading = try {
        val boot = Settings.Global.getInt(resolver, Settings.Global.BOOT_COUNT)
        ClockReading(System.currentTimeMillis(), SystemClock.elapsedRealtime(), "boot-$boot")
    } catch (missing: Settings.SettingNotFoundException) {
        throw HostClockException.Failed("the device does not count its boots")
    }
}
