package org.ticketwallet

import java.nio.file.Path
import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.io.TempDir

/** Tests of which each has a sandbox, and a vault in a folder of its own. */
internal abstract class WithSandbox {
    @TempDir
    lateinit var temporary: Path
    lateinit var sandbox: Sandbox
    lateinit var vault: TestVault

    @BeforeEach
    fun start() {
        sandbox = Sandbox()
        vault = TestVault(temporary.toString())
    }

    @AfterEach
    fun stop() {
        vault.close()
        sandbox.close()
    }

    /** The box office in that folder. */
    fun openOffice() = TicketBoxOffice.open("$temporary/office", vault)
}
