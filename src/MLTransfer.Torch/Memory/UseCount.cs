using System.Diagnostics.CodeAnalysis;

namespace MLTransfer.Torch.Memory;

/// <summary>
/// Lets an object be disposed while other threads are in calls to it: those calls go on to their end, later ones are refused, and what the
/// object owns is freed when the last of them has ended, on the thread that was in it.
/// </summary>
/// <remarks>
/// Nobody waits, so an object may be disposed from within a call to it, such as a callback. Calls that a call makes on its own thread are
/// part of it: they are not refused, and cost a look at a variable of the thread.
/// </remarks>
internal sealed class UseCount
{
    private const int Disposed = int.MinValue; // the highest bit of the state; the others count calls

    [ThreadStatic]
    private static Held? s_held;

    private int _state;
    private Action? _free;

    /// <summary>Begins a call; disposing the result, on the same thread, ends it.</summary>
    /// <param name="owner">What the exception names.</param>
    /// <param name="remedy">What the exception says beside that; null for nothing.</param>
    /// <exception cref="ObjectDisposedException">The owner is disposed.</exception>
    public Hold Begin(Type owner, string? remedy = null)
    {
        for (var held = s_held; held is not null; held = held.Outer)
        {
            if (held.Count == this)
                return default;
        }

        for (var state = Volatile.Read(ref _state); ;)
        {
            if (state < 0)
                Throw(owner, remedy);
            var seen = Interlocked.CompareExchange(ref _state, state + 1, state);
            if (seen == state)
                break;
            state = seen;
        }

        s_held = new Held(this, s_held);
        return new Hold(this);
    }

    /// <summary>Refuses what begins from now on.</summary>
    /// <param name="free">Frees what the owner owns; called once, when nothing uses it. Of several calls the first decides.</param>
    public void Dispose(Action free)
    {
        if (Interlocked.CompareExchange(ref _free, free, null) is null && Interlocked.Or(ref _state, Disposed) == 0)
            free();
    }

    [DoesNotReturn]
    private static void Throw(Type owner, string? remedy) => throw (remedy is null
        ? new ObjectDisposedException(owner.FullName)
        : new ObjectDisposedException(owner.FullName, $"The {owner.Name} is disposed. {remedy}"));

    private void End()
    {
        s_held = s_held!.Outer; // holds end in the opposite order of their beginning
        if (Interlocked.Decrement(ref _state) == Disposed)
            _free!();
    }

    /// <summary>A call that is under way.</summary>
    public readonly ref struct Hold
    {
        private readonly UseCount? _count; // null within another call

        internal Hold(UseCount count) => _count = count;

        /// <summary>Ends the call.</summary>
        public void Dispose() => _count?.End();
    }

    /// <summary>The calls that a thread is in, the innermost first.</summary>
    private sealed record Held(UseCount Count, Held? Outer);
}
