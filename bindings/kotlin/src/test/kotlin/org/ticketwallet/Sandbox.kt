package org.ticketwallet

import java.net.HttpURLConnection
import java.net.Proxy
import java.net.URI
import java.net.URL
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpRequest.BodyPublishers
import java.net.http.HttpResponse.BodyHandlers
import org.ticketwallet.core.SystemConfig
import org.ticketwallet.core.TexpoConfig
import org.ticketwallet.core.TexpoSignIn
import org.ticketwallet.core.TexpoTimestamps
import org.ticketwallet.core.UnidyApi
import org.ticketwallet.core.UnidyConfig
import org.ticketwallet.core.UnidyGrant

/** Somebody who can sign in. */
internal class Person(val name: String, val password: String)

/** A brand of the sandbox's Unidy; [record] is its object of `GET /sandbox/unidy`. */
internal class Brand(private val record: String) {
    val url = record.member("url")
    private val sdkKey = record.member("sdk_key")

    /** How an end user's app reaches it. */
    fun sdk() = SystemConfig(url, unidy = UnidyConfig(UnidyApi.SDK, sdkKey = sdkKey))

    /** How an OAuth app of this name reaches it. */
    fun oauth(client: String, grant: UnidyGrant): SystemConfig {
        val app = record.substringAfter("\"name\":\"$client\"")
        val unidy = UnidyConfig(
            UnidyApi.PARTNER, clientId = app.member("client_id"), redirectUri = app.member("redirect_uri"),
            grant = grant,
        )
        return SystemConfig(url, unidy = unidy)
    }

    /** The secret of an OAuth app that has one. */
    fun secret(client: String) = record.substringAfter("\"name\":\"$client\"").member("client_secret")
}

/** The sandbox's TickeTing; [record] is what `GET /sandbox/ticketing` answers. */
internal class Festival(record: String) {
    /** Where its API is. */
    val url = record.member("url")

    /** The first event's id. */
    val event = checkNotNull(Regex("\"events\":\\[\\{\"id\":(\\d+)").find(record)).groupValues[1]

    /** What a gate of it signs in with. */
    val code = record.member("global_code")

    /** The app's own key, by which codes are looked up. */
    val key = record.member("integration_key")

    /** The addresses of its sections. */
    val sections = record.substringAfter("\"sections\":[").substringBefore("]").split(",").map { it.trim('"') }
}

/** The sandbox's TEXPO; [record] is what `GET /sandbox/texpo` answers. */
internal class Expo(record: String) {
    /** Who may change the catalogue. */
    val manager = Person(record.member("manager"), record.member("password"))

    /** How it is reached. */
    val config = SystemConfig(
        record.member("url"),
        texpo = TexpoConfig(
            networkId = record.member("network_id"), signIn = TexpoSignIn.ADMINSERVER,
            timestamps = TexpoTimestamps.UNIX_SECONDS,
        ),
    )
}

/** What gates of an event sign in with. */
internal class AdmissionCode(val tenant: String, val code: String)

/** The text of the first member of this name. */
internal fun String.member(name: String): String =
    checkNotNull(Regex("\"$name\":\"([^\"]*)\"").find(this)) { name }.groupValues[1]

/** The sandbox as a process of its own, on a free port of this machine. */
internal class Sandbox(tickets: Int = 12) : AutoCloseable {
    private val process = ProcessBuilder(
        System.getProperty("ticketwallet.cli"), "sandbox", "--tickets", tickets.toString(),
    ).redirectError(ProcessBuilder.Redirect.INHERIT).start()

    /** Unlike [HttpURLConnection] it can send `PATCH`. */
    private val client = HttpClient.newBuilder().proxy(HttpClient.Builder.NO_PROXY)
        .version(HttpClient.Version.HTTP_1_1).build()

    /** Its address. */
    val url: String

    /** Who can sign in. */
    val users: List<Person>

    /** Its first user. */
    val user get() = users[0].name

    /** The first user's password. */
    val password get() = users[0].password

    init {
        val ready = checkNotNull(process.inputStream.bufferedReader().readLine()) { "the sandbox did not start" }
        url = ready.member("url")
        users = people(ready.substringAfter("\"users\":").substringBefore("]"))
    }

    /** Who works for the organiser of the first tenant. */
    fun organiser(): Person = people(get("/sandbox/organizers")).first()

    /** A brand of Unidy. */
    fun brand(name: String) = Brand(get("/sandbox/unidy").substringAfter("\"name\":\"$name\""))

    /** How TickeTing is reached. */
    fun festival() = Festival(get("/sandbox/ticketing"))

    /** Has TickeTing refuse clients of an older version. */
    fun requireVersion(version: String) =
        control("PUT", "/sandbox/ticketing/choices", """{"least_version":"$version"}""")

    /** How TEXPO is reached. */
    fun expo() = Expo(get("/sandbox/texpo"))

    /** The code that lets a gate in to every section of an event. */
    fun admissionCode(event: String): AdmissionCode {
        val whole = Regex("\\{\"tenant\":\"([^\"]*)\",\"event_id\":$event,[^{}]*\"code\":\"([^\"]*)\",\"sections\":\\[]}")
        val (tenant, code) = checkNotNull(whole.find(get("/sandbox/gates/codes"))) { event }.destructured
        return AdmissionCode(tenant, code)
    }

    /** What gates of an event sign in to B.A.M itself with. */
    fun validatorToken(tenant: String, event: String): String =
        get("/sandbox/validators/$tenant/$event").member("token")

    /** Where gates of a code's tenant sign in. */
    fun gates(code: AdmissionCode) = "$url/t/${code.tenant}"

    /** What the server knows of its gates. */
    fun gateReport(): String {
        val connection = open("$url/sandbox/gates")
        connection.setRequestProperty("Accept", "application/json")
        return connection.inputStream.use { it.readAllBytes().decodeToString() }
    }

    /** Gives a ticket a state at the gates, whatever its status says. */
    fun gateState(tenant: String, ticket: String, state: String) =
        control("PATCH", "/sandbox/gates/tickets/$tenant/$ticket", """{"state":"$state"}""")

    /** Changes what gates of an event go by; [rules] is JSON. */
    fun gateRules(tenant: String, event: String, rules: String) =
        control("PATCH", "/sandbox/gates/events/$tenant/$event", rules)

    /** The venue nonce of an event that phones show now. */
    fun nonce(tenant: String, event: String): ByteArray =
        get("/sandbox/gates/events/$tenant/$event/nonce").member("nonce").chunked(2)
            .map { it.toInt(16).toByte() }.toByteArray()

    /** Sends gates this kind of bad manifest until [goodManifest]. */
    fun badManifest(kind: String) = control("PUT", "/sandbox/gates/bad-manifest", "\"$kind\"")

    /** Sends gates good manifests again. */
    fun goodManifest() = control("DELETE", "/sandbox/gates/bad-manifest", null)

    /** Simulates the payment at the address that a purchase names. */
    fun pay(address: String) {
        val request = HttpRequest.newBuilder(URI(address)).POST(BodyPublishers.noBody()).build()
        val reply = client.send(request, BodyHandlers.ofString())
        check(reply.statusCode() == 200 && "no money moved" in reply.body()) { reply.body() }
    }

    /** Has the page at which people sign in consent at once for a user; for nobody it refuses at once. */
    fun consent(user: String?) {
        val consent = user?.let { """{"approve":{"user":"$it"}}""" } ?: "\"deny\""
        control("PUT", "/sandbox/unidy/choices", """{"consent":$consent}""")
    }

    /** What the last e-mail was about: a code, or the token of a transfer. */
    fun lastMail(): String = get("/sandbox/unidy/mails").substringAfterLast("{").member("secret")

    /** Where a browser is sent that opens an address. */
    fun browse(address: String): String {
        val connection = open(address)
        connection.instanceFollowRedirects = false
        check(connection.responseCode in 300..399) { "the page answered ${connection.responseCode}" }
        return connection.getHeaderField("Location")
    }

    /** Disturbs all requests whose path contains [path]; [fault] is JSON. */
    fun disturb(path: String, fault: String) {
        control("POST", "/sandbox/faults", """[{"path_contains":"$path","times":1000,"fault":$fault}]""")
    }

    /** Ends all disturbances. */
    fun calm() = control("DELETE", "/sandbox/faults", null)

    private fun people(json: String) = Regex("\"name\":\"([^\"]*)\",\"password\":\"([^\"]*)\"").findAll(json)
        .map { Person(it.groupValues[1], it.groupValues[2]) }.toList()

    private fun open(address: String) = URL(address).openConnection(Proxy.NO_PROXY) as HttpURLConnection

    private fun get(path: String) = open(url + path).inputStream.use { it.readAllBytes().decodeToString() }

    private fun control(method: String, path: String, body: String?) {
        val content = body?.let(BodyPublishers::ofString) ?: BodyPublishers.noBody()
        val request = HttpRequest.newBuilder(URI(url + path)).method(method, content)
            .setHeader("Content-Type", "application/json").build()
        val status = client.send(request, BodyHandlers.discarding()).statusCode()
        check(status == 204) { "the sandbox answered $status" }
    }

    override fun close() {
        process.destroy()
        process.waitFor()
    }
}
