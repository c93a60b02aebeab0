// The Android library. Its Kotlin is that of ../../bindings/kotlin, with what only Android has beside it here.
plugins {
    id("com.android.library") version "8.13.0"
    id("org.jetbrains.kotlin.android") version "2.2.21"
    `maven-publish`
}

group = "org.ticketwallet"
version = "0.1.0"

android {
    namespace = "org.ticketwallet.android"
    compileSdk = 35

    defaultConfig {
        minSdk = 26
        consumerProguardFiles("consumer-rules.pro")
    }

    sourceSets.getByName("main") {
        kotlin.srcDir("../../bindings/kotlin/src/main/kotlin")
        // `cargo tool generate kotlin` writes these.
        kotlin.srcDir("../../target/bindings/kotlin")
        // libticket_wallet.so, one folder for each ABI.
        jniLibs.srcDir("../../target/android/jniLibs")
    }

    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }

    publishing {
        singleVariant("release") { withSourcesJar() }
    }
}

kotlin {
    jvmToolchain(17)
}

dependencies {
    api("org.jetbrains.kotlinx:kotlinx-coroutines-android:1.10.2")
    implementation("net.java.dev.jna:jna:5.18.1@aar")
}

publishing {
    publications {
        register<MavenPublication>("release") {
            artifactId = "ticket-wallet-android"
            afterEvaluate { from(components["release"]) }
        }
    }
}
