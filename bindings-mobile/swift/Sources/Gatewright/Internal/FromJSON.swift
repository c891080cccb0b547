import Foundation

// What the Rust side tells as JSON, into types.

extension JSONValue {
    /// A time in milliseconds.
    var duration: Duration? {
        double.map { .microseconds(Int64(($0 * 1000).rounded())) }
    }
}

extension Headers {
    /// Pairs of names and values.
    init(json pairs: [JSONValue]) {
        self.init()
        for pair in pairs {
            if let name = pair[0]?.string, let value = pair[1]?.string {
                append(name, value)
            }
        }
    }
}

extension Attempt {
    init(json: JSONValue) {
        number = json["number"]?.int ?? 0
        started = json["startedMs"]?.duration ?? .zero
        queued = json["queuedMs"]?.duration ?? .zero
        queuedFor = json["queuedFor"]?.string
        took = json["tookMs"]?.duration ?? .zero
        status = json["status"]?.int
        error = json["error"]?.string
        retryAfter = json["retryAfterMs"]?.duration
        requestID = json["requestId"]?.string
        decision = json["decision"]?.string.flatMap(Decision.init) ?? .none
        reason = json["reason"]?.string
        wait = json["waitMs"]?.duration
        budgetLeft = json["budgetLeft"]?.int ?? 0
        region = json["region"]?.string
        isHedge = json["hedge"]?.bool ?? false
    }
}

extension ClientState {
    init(json: JSONValue) {
        budgetLeft = json["budgetLeft"]?.int ?? 0
        budgetCapacity = json["budgetCapacity"]?.int ?? 0
        limits = json["limits"]?.array?.map(Limits.init(json:)) ?? []
        breaker = json["breaker"].flatMap(BreakerState.init(json:))
        concurrency = json["concurrency"].flatMap(ConcurrencyState.init(json:))
        regions = json["regions"]?.array?.map(Region.init(json:)) ?? []
        cache = json["cache"].flatMap(CacheState.init(json:))
    }
}

extension ClientState.Limits {
    init(json: JSONValue) {
        inFlight = json["inFlight"]?.int ?? 0
        queued = json["queued"]?.int ?? 0
        pausedFor = json["pausedForMs"]?.duration
        quotas = json["quotas"]?.array?.map(ClientState.Quota.init(json:)) ?? []
    }
}

extension ClientState.Quota {
    init(json: JSONValue) {
        policy = json["policy"]?.string ?? ""
        limit = json["limit"]?.int ?? 0
        remaining = json["remaining"]?.int ?? 0
        window = json["windowMs"]?.duration
        nextIn = json["nextInMs"]?.duration ?? .zero
        resetsIn = json["resetsInMs"]?.duration
        isShared = json["shared"]?.bool ?? false
    }
}

extension AttemptRequest {
    init(json: JSONValue) {
        number = json["number"]?.int ?? 0
        method = json["method"]?.string ?? ""
        url = json["url"]?.string ?? ""
        headers = json["headers"]?.array.map(Headers.init(json:)) ?? [:]
    }
}

extension AttemptResult {
    init(json: JSONValue) {
        number = json["number"]?.int ?? 0
        method = json["method"]?.string ?? ""
        url = json["url"]?.string ?? ""
        status = json["status"]?.int
        headers = json["headers"]?.array.map(Headers.init(json:))
        error = json["error"]?.string
        took = json["tookMs"]?.duration ?? .zero
    }
}
