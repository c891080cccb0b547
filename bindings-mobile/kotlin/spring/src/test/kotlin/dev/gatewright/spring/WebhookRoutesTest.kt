package dev.gatewright.spring

import dev.gatewright.MemoryReplayGuard
import dev.gatewright.Verified
import dev.gatewright.receiving.Deliveries
import dev.gatewright.receiving.Receiver
import dev.gatewright.receiving.ReceivingContract
import dev.gatewright.receiving.Senders
import jakarta.servlet.Filter
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterAll
import org.springframework.boot.SpringApplication
import org.springframework.boot.autoconfigure.EnableAutoConfiguration
import org.springframework.boot.web.server.context.WebServerApplicationContext
import org.springframework.boot.web.servlet.FilterRegistrationBean
import org.springframework.context.annotation.Bean
import org.springframework.context.annotation.Configuration
import org.springframework.web.servlet.function.RouterFunction
import org.springframework.web.servlet.function.ServerResponse

/** Spring makes the application by itself: what it receives is found here. */
private val RECEIVER = Receiver()

/** An application as Spring Boot makes one. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
open class Application {
    private val keep = WebhookHandler { verified: Verified, _ -> RECEIVER.keep(verified) }
    private val logged = WebhookSettings { it.log = RECEIVER.log::add }
    private val once = WebhookSettings { it.replayGuard = MemoryReplayGuard() }

    @Bean
    open fun stripe(): RouterFunction<ServerResponse> = WebhookRoutes.post("/stripe", Senders.stripe, logged, keep)

    @Bean
    open fun github(): RouterFunction<ServerResponse> =
        WebhookRoutes.post("/github", Senders.github, logged) { verified, request ->
            runBlocking { RECEIVER.dispatch(verified, request.headers().firstHeader("X-GitHub-Event")) }
        }

    @Bean
    open fun standard(): RouterFunction<ServerResponse> = WebhookRoutes.post("/standard", Senders.standard, once, keep)

    @Bean
    open fun fails(): RouterFunction<ServerResponse> =
        WebhookRoutes.post("/fails", Senders.standard, once) { verified, _ -> RECEIVER.keepAndFailOnce(verified) }

    @Bean
    open fun slack(): RouterFunction<ServerResponse> = WebhookRoutes.post("/slack", Senders.slack, handler = keep)

    @Bean
    open fun square(): RouterFunction<ServerResponse> = WebhookRoutes.post("/square", Senders.square, handler = keep)

    @Bean
    open fun small(): RouterFunction<ServerResponse> = WebhookRoutes.post("/small", Senders.small, logged, keep)

    @Bean
    open fun readBefore(): RouterFunction<ServerResponse> = WebhookRoutes.post("/read-before", Senders.stripe, logged, keep)

    @Bean
    open fun reader(): FilterRegistrationBean<Filter> =
        FilterRegistrationBean<Filter>(
            Filter { request, response, chain ->
                request.inputStream.readAllBytes()
                chain.doFilter(request, response)
            },
        ).apply { addUrlPatterns("/read-before") }
}

/** Routes in Spring MVC on Tomcat, on a port of its own, called as senders do. */
class WebhookRoutesTest : ReceivingContract(RECEIVER) {
    private val context =
        SpringApplication(Application::class.java).run(
            "--server.port=0",
            "--server.address=127.0.0.1",
            "--spring.main.banner-mode=off",
            "--logging.level.root=off",
        )

    override val deliveries =
        Deliveries("http://127.0.0.1:${(context as WebServerApplicationContext).webServer!!.port}")

    @AfterAll
    fun stop() = context.close()
}
