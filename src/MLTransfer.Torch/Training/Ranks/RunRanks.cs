using System.Security.Cryptography;
using System.Text;
using MLTransfer.Torch.Collectives;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Numerics;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Ranks;

/// <summary>
/// The processes that share a run, seen from one of them: what they divide, what rank 0 decides for all, and what it alone does. A run
/// alone is its own rank 0.
/// </summary>
/// <param name="collective">Of the run's options; null for a run alone.</param>
internal sealed class RunRanks(ICollective? collective)
{
    /// <summary>Bytes of a tensor that go out together.</summary>
    private const int MessageLength = 1 << 26;

    /// <summary>Tells the seeds of ranks from others that are made of the run's.</summary>
    private const ulong RankSeeds = 0x72616e6b;

    private readonly ICollective? _collective = collective is { Size: > 1 } ? collective : null;

    /// <summary>A run of one process.</summary>
    public static RunRanks Alone { get; } = new(null);

    /// <summary>Whether there are others.</summary>
    public bool IsShared => _collective is not null;

    /// <summary>Whether this is rank 0, which alone writes files and decides.</summary>
    public bool IsFirst => _collective is null or { Rank: 0 };

    /// <summary>How many ranks there are.</summary>
    public int Size => _collective?.Size ?? 1;

    /// <summary>A seed of this rank's own; that of a run alone on rank 0.</summary>
    public long SeedOf(long seed) =>
        _collective is null or { Rank: 0 } ? seed : (long)SplitMix64.Mix((ulong)seed, RankSeeds, (ulong)_collective.Rank);

    /// <summary>What adds up gradients; null for a run alone.</summary>
    public IUpdateExchange? CreateExchange() => _collective is null ? null : new GradientExchange(_collective);

    /// <summary>This rank's rows.</summary>
    public IReadOnlyList<T> Share<T>(IReadOnlyList<T> rows) =>
        _collective is null ? rows : RowShare.Of(rows, _collective.Rank, _collective.Size);

    /// <summary>Puts sums over all ranks in the place of numbers.</summary>
    public void Sum(Span<double> values) => _collective?.AllReduceSum(values);

    /// <summary>Puts sums over all ranks in the place of named numbers, of which a rank without rows has none.</summary>
    public void Sum(Dictionary<string, double> values)
    {
        if (_collective is null)
            return;
        var all = _collective.GatherAll(values).SelectMany(part => part).ToList();
        values.Clear();
        foreach (var (name, value) in all)
            values[name] = values.GetValueOrDefault(name) + value;
    }

    /// <summary>Whether something holds on any rank.</summary>
    public bool Any(bool holds)
    {
        Span<double> count = [holds ? 1 : 0];
        Sum(count);
        return count[0] > 0;
    }

    /// <summary>The number that rank 0 has: what decides must have the same bits on all.</summary>
    public double OfFirst(double value)
    {
        if (_collective is null)
            return value;
        var bytes = BitConverter.GetBytes(value);
        _collective.Broadcast(bytes);
        return BitConverter.ToDouble(bytes);
    }

    /// <summary>The value that rank 0 has.</summary>
    /// <param name="value">Called on rank 0 alone.</param>
    public T OfFirst<T>(Func<T> value)
        where T : class
    {
        if (_collective is null)
            return value();
        var bytes = IsFirst ? CollectiveBytes.ToBytes(value()) : [];
        var length = BitConverter.GetBytes(bytes.Length);
        _collective.Broadcast(length);
        if (!IsFirst)
            bytes = new byte[BitConverter.ToInt32(length)];
        _collective.Broadcast(bytes);
        return CollectiveBytes.FromBytes<T>(bytes);
    }

    /// <summary>Puts the values that rank 0 has into tensors of the same shapes on all.</summary>
    public unsafe void CopyFirst(IEnumerable<Tensor> tensors)
    {
        if (_collective is null)
            return;
        using var gradients = no_grad();
        foreach (var target in tensors)
        {
            using var scope = NewDisposeScope();
            var host = target.detach().cpu().contiguous();
            var address = (byte*)NativeTensor.Pointer(host);
            var length = host.numel() * NativeTensor.ElementSize(host.dtype);
            for (long start = 0; start < length; start += MessageLength)
                _collective.Broadcast(new Span<byte>(address + start, (int)Math.Min(MessageLength, length - start)));
            if (!IsFirst)
                target.copy_(host);
        }
    }

    /// <summary>Refuses ranks that were given different work: their steps would not fit together.</summary>
    /// <param name="fingerprint">Of rows, options and model.</param>
    /// <exception cref="InvalidOperationException">They were. It is thrown on all.</exception>
    public void CheckEqual(string fingerprint)
    {
        if (_collective is null)
            return;
        var own = SHA256.HashData(Encoding.UTF8.GetBytes(fingerprint));
        var all = new byte[own.Length * _collective.Size];
        _collective.AllGather(own, all);
        for (var rank = 1; rank < _collective.Size; rank++)
        {
            if (!all.AsSpan(rank * own.Length, own.Length).SequenceEqual(all.AsSpan(0, own.Length)))
            {
                throw new InvalidOperationException(
                    $"Rank {rank} was given other training rows, other options or another model than rank 0. All ranks of "
                    + $"{nameof(TrainingOptions.Collective)} make the same call with the same data.");
            }
        }
    }

    /// <summary>Ends all ranks.</summary>
    public void Abort(Exception reason) => _collective?.Abort(reason);

    /// <summary>Refuses a training that ranks cannot share.</summary>
    /// <param name="options">Of the training.</param>
    /// <param name="what">What cannot be shared.</param>
    /// <param name="why">Why, and what to do.</param>
    /// <exception cref="NotSupportedException">There is more than one rank.</exception>
    public static void Refuse(TrainingOptions options, string what, string why)
    {
        if (options.Collective is { Size: > 1 } ranks)
        {
            throw new NotSupportedException(
                $"{nameof(TrainingOptions.Collective)} has {ranks.Size} ranks, among which {what} cannot be divided: {why}");
        }
    }
}
