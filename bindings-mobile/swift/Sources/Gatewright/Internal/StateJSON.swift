// What the Rust side tells of breaker, slots, cache and regions, into types.

extension ClientState.BreakerState {
    init?(json: JSONValue) {
        guard let phase = json["state"]?.string.flatMap(Phase.init) else { return nil }
        self.phase = phase
        failures = json["failures"]?.int ?? 0
        calls = json["calls"]?.int ?? 0
        retryAfter = json["retryAfterMs"]?.duration
        lastFailure = json["lastFailure"]?.string
    }
}

extension ClientState.ConcurrencyState {
    init?(json: JSONValue) {
        guard let limit = json["limit"]?.int else { return nil }
        self.limit = limit
        inFlight = json["inFlight"]?.int ?? 0
        queued = json["queued"]?.int ?? 0
    }
}

extension ClientState.CacheState {
    init?(json: JSONValue) {
        guard let entries = json["entries"]?.int else { return nil }
        self.entries = entries
        bytes = json["bytes"]?.int ?? 0
        maxBytes = json["maxBytes"]?.int ?? 0
        hits = json["hits"]?.int ?? 0
        revalidated = json["revalidated"]?.int ?? 0
        stale = json["stale"]?.int ?? 0
        misses = json["misses"]?.int ?? 0
        evicted = json["evicted"]?.int ?? 0
    }
}

extension ClientState.Region {
    init(json: JSONValue) {
        name = json["name"]?.string ?? ""
        isHealthy = json["healthy"]?.bool ?? false
        budgetLeft = json["budgetLeft"]?.int ?? 0
        budgetCapacity = json["budgetCapacity"]?.int ?? 0
        limits = json["limits"]?.array?.map(ClientState.Limits.init(json:)) ?? []
        breaker = json["breaker"].flatMap(ClientState.BreakerState.init(json:))
        concurrency = json["concurrency"].flatMap(ClientState.ConcurrencyState.init(json:))
    }
}
