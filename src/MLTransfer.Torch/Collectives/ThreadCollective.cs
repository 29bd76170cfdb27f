using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace MLTransfer.Torch.Collectives;

/// <summary>
/// Ranks that are threads of this process, each with a model of its own: for tests of a program that is to run in several processes. It is
/// not faster than one thread that computes on all cores.
/// </summary>
public sealed class ThreadCollective : ICollective
{
    private readonly Meeting _meeting;

    private ThreadCollective(Meeting meeting, int rank) => (_meeting, Rank) = (meeting, rank);

    /// <inheritdoc/>
    public int Rank { get; }

    /// <inheritdoc/>
    public int Size => _meeting.Parts.Length;

    /// <summary>Runs the same work on several ranks and waits for all.</summary>
    /// <param name="size">How many ranks there are.</param>
    /// <param name="work">What each does, on a thread of its own.</param>
    /// <returns>What each gave, in the order of ranks.</returns>
    /// <exception cref="AggregateException">The work of a rank failed, and thereby that of all; each has its exception here.</exception>
    public static IReadOnlyList<T> Run<T>(int size, Func<ICollective, T> work)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentNullException.ThrowIfNull(work);
        using var meeting = new Meeting(size);
        var (results, failures) = (new T[size], new Exception?[size]);
        var threads = Enumerable.Range(0, size).Select(rank => new Thread(() =>
        {
            var collective = new ThreadCollective(meeting, rank);
            try
            {
                results[rank] = work(collective);
            }
            catch (Exception exception)
            {
                failures[rank] = exception;
                collective.Abort(exception);
            }
        }, maxStackSize: 16 << 20)).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        return failures.Any(failure => failure is not null) ? throw new AggregateException(failures.OfType<Exception>()) : results;
    }

    /// <inheritdoc/>
    public void AllReduceSum(Span<float> values) => AllReduceSum<float>(values);

    /// <inheritdoc/>
    public void AllReduceSum(Span<double> values) => AllReduceSum<double>(values);

    /// <inheritdoc/>
    public void Broadcast(Span<byte> bytes, int root = 0)
    {
        if (root < 0 || root >= Size)
            throw new ArgumentOutOfRangeException(nameof(root), root, $"Ranks are from 0 to {Size - 1}.");
        _meeting.Bring(Rank, bytes);
        _meeting.PartOf(root, bytes.Length).CopyTo(bytes);
        _meeting.Meet();
    }

    /// <inheritdoc/>
    public void AllGather(ReadOnlySpan<byte> own, Span<byte> all)
    {
        if (all.Length != (long)own.Length * Size)
            throw new ArgumentException($"{all.Length} bytes do not hold {own.Length} of each of {Size} ranks.", nameof(all));
        _meeting.Bring(Rank, own);
        for (var rank = 0; rank < Size; rank++)
            _meeting.PartOf(rank, own.Length).CopyTo(all[(rank * own.Length)..]);
        _meeting.Meet();
    }

    /// <inheritdoc/>
    public void Barrier() => _meeting.Meet();

    /// <summary>Lets all other ranks' calls throw, those under way too.</summary>
    /// <param name="reason">What is told; the first one counts.</param>
    public void Abort(Exception reason) => _meeting.End(Rank, reason);

    private void AllReduceSum<T>(Span<T> values)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        _meeting.Bring(Rank, MemoryMarshal.AsBytes(values));
        values.Clear();
        for (var rank = 0; rank < Size; rank++)
        {
            var part = MemoryMarshal.Cast<byte, T>(_meeting.PartOf(rank, values.Length * Marshal.SizeOf<T>()));
            TensorPrimitives.Add(values, part, values);
        }

        _meeting.Meet();
    }

    /// <summary>Where ranks show each other what they have.</summary>
    private sealed class Meeting(int size) : IDisposable
    {
        private readonly Barrier _barrier = new(size);
        private readonly CancellationTokenSource _ended = new();
        private CollectiveAbortedException? _end;

        public byte[][] Parts { get; } = [.. Enumerable.Range(0, size).Select(_ => Array.Empty<byte>())];

        /// <summary>Shows bytes to the others, and waits until all have shown theirs; another meeting ends the show.</summary>
        public void Bring(int rank, ReadOnlySpan<byte> bytes)
        {
            Parts[rank] = bytes.ToArray();
            Meet();
        }

        public ReadOnlySpan<byte> PartOf(int rank, int length) => Parts[rank].Length == length ? Parts[rank]
            : throw new InvalidOperationException($"Rank {rank} came with {Parts[rank].Length} bytes, another one with {length}.");

        public void Meet()
        {
            try
            {
                _barrier.SignalAndWait(_ended.Token);
            }
            catch (OperationCanceledException)
            {
                throw new CollectiveAbortedException(_end!.Rank, _end.InnerException!);
            }
        }

        public void End(int rank, Exception reason)
        {
            if (Interlocked.CompareExchange(ref _end, new CollectiveAbortedException(rank, reason), null) is null)
                _ended.Cancel();
        }

        public void Dispose()
        {
            _barrier.Dispose();
            _ended.Dispose();
        }
    }
}
