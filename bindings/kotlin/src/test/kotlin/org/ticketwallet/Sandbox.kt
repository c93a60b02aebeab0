package org.ticketwallet

import java.net.HttpURLConnection
import java.net.Proxy
import java.net.URL

/** The sandbox as a process of its own, on a free port of this machine. */
internal class Sandbox(tickets: Int = 12) : AutoCloseable {
    private val process = ProcessBuilder(
        System.getProperty("ticketwallet.cli"), "sandbox", "--tickets", tickets.toString(),
    ).redirectError(ProcessBuilder.Redirect.INHERIT).start()

    /** Its address. */
    val url: String

    /** Its first user. */
    val user: String

    /** The first user's password. */
    val password: String

    init {
        val ready = checkNotNull(process.inputStream.bufferedReader().readLine()) { "the sandbox did not start" }
        fun text(name: String) = checkNotNull(Regex("\"$name\":\"([^\"]*)\"").find(ready)) { name }.groupValues[1]
        url = text("url")
        user = text("name")
        password = text("password")
    }

    /** Disturbs all requests whose path contains [path]; [fault] is JSON. */
    fun disturb(path: String, fault: String) {
        control("POST", """[{"path_contains":"$path","times":1000,"fault":$fault}]""")
    }

    /** Ends all disturbances. */
    fun calm() = control("DELETE", null)

    private fun control(method: String, body: String?) {
        val connection = URL("$url/sandbox/faults").openConnection(Proxy.NO_PROXY) as HttpURLConnection
        connection.requestMethod = method
        body?.let {
            connection.doOutput = true
            connection.setRequestProperty("Content-Type", "application/json")
            connection.outputStream.use { stream -> stream.write(it.toByteArray()) }
        }
        check(connection.responseCode == 204) { "the sandbox answered ${connection.responseCode}" }
    }

    override fun close() {
        process.destroy()
        process.waitFor()
    }
}
