package dev.gatewright

/**
 * Keeps the tokens of one login: in Android's key store, in a database. Give it as [OAuth.Storage.Store].
 *
 * What is kept is one text, which is a secret: it has the tokens in it. The file of [OAuth.Storage.File] has the same, and so have the stores of the other
 * languages. Functions run on `Dispatchers.Default`. What one throws fails the calls that wait for a token, and is told in their exception: say
 * no secret there.
 */
public interface TokenStore {
    /** What is stored; `null` for nothing. */
    public suspend fun load(): String?

    /** Stores [tokens] in place of what was there, whole or not at all. Where that fails, the client keeps them in memory and tries again. */
    public suspend fun save(tokens: String)

    /** Forgets what is stored. */
    public suspend fun clear()

    /**
     * Tries to take the store's lock; `false`: somebody else has it, and it is asked for again soon. It is held from before tokens are read until
     * after they are saved, so that of several processes one refreshes. Default: there is no lock, which is right where one process alone uses
     * the store.
     */
    public suspend fun lock(): Boolean = true

    /** Gives the lock back. Default: there is none. */
    public suspend fun unlock() {
        // There is none.
    }
}
