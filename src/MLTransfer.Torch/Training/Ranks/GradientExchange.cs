using MLTransfer.Torch.Collectives;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Training.Optimizers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Training.Ranks;

/// <summary>
/// Adds up the gradients of ranks that share the rows of a step. Each has divided its losses by the counts of all rows, so the sum is the
/// gradient of the whole step, however unequal the ranks' rows are; norm and clipping come after it.
/// </summary>
/// <param name="ranks">The processes, two or more.</param>
internal sealed class GradientExchange(ICollective ranks) : IUpdateExchange
{
    /// <summary>Elements that go out together, 32 MiB: so many that a message's fixed costs do not count.</summary>
    private const int BucketLength = 1 << 23;

    private readonly List<(Tensor Gradient, int Start)> _inBucket = [];
    private float[] _bucket = [];
    private int _filled;

    public int Rank => ranks.Rank;

    /// <summary>Neighbours: ranks' numbers of rows differ by one at most; with fewer rows than ranks some have none.</summary>
    public int[] Share(int[] rowsOfStep) => RowShare.Of(rowsOfStep, ranks.Rank, ranks.Size);

    public void Sum(Span<double> figures) => ranks.AllReduceSum(figures);

    public double Complete(Player player, IReadOnlyList<double> normalizers, double loss)
    {
        using var gradients = no_grad();
        var optimizer = player.Optimizer;
        optimizer.AddUpGradients(); // into float32, in which they are summed

        // A parameter that no row of any rank reached stays without a gradient, and so as it is; a rank without rows has zeros.
        var sums = new double[optimizer.Slots.Count + 1];
        sums[^1] = loss;
        foreach (var (index, slot) in optimizer.Slots.Index())
            sums[index] = HasGradient(slot) ? 1 : 0;
        ranks.AllReduceSum(sums);
        Prepare(optimizer.Slots.Where((_, index) => sums[index] > 0).Sum(slot => slot.Parameter.numel()));
        foreach (var (index, slot) in optimizer.Slots.Index())
        {
            if (sums[index] > 0)
                Add(slot);
        }

        Flush();
        return sums[^1];
    }

    private static bool HasGradient(ParameterSlot slot)
    {
        using var gradient = slot.Parameter.grad;
        return gradient is not null;
    }

    private void Prepare(long length)
    {
        if (_bucket.Length < Math.Min(length, BucketLength))
            _bucket = GC.AllocateUninitializedArray<float>((int)Math.Min(length, BucketLength));
    }

    /// <summary>Puts a gradient into buckets, which go out as they are full.</summary>
    private void Add(ParameterSlot slot)
    {
        using var scope = NewDisposeScope();
        var gradient = slot.Parameter.grad ?? zeros_like(slot.Parameter);
        if (!gradient.is_contiguous())
            gradient = gradient.contiguous();
        slot.Parameter.grad = gradient;
        var flat = gradient.view(-1);
        for (long start = 0; start < flat.numel();)
        {
            var count = (int)Math.Min(_bucket.Length - _filled, flat.numel() - start);
            var part = flat.narrow(0, start, count);
            Read(part, _bucket.AsSpan(_filled, count));
            _inBucket.Add((part.DetachFromDisposeScope(), _filled));
            (_filled, start) = (_filled + count, start + count);
            if (_filled == _bucket.Length)
                Flush();
        }
    }

    private void Flush()
    {
        ranks.AllReduceSum(_bucket.AsSpan(0, _filled));
        foreach (var (part, start) in _inBucket)
        {
            using (part)
                Write(_bucket.AsSpan(start, (int)part.numel()), part);
        }

        _inBucket.Clear();
        _filled = 0;
    }

    private static void Read(Tensor part, Span<float> into)
    {
        using var host = part.to(ScalarType.Float32).cpu();
        NativeTensor.AsSpan<float>(host).CopyTo(into);
    }

    private static void Write(Span<float> values, Tensor into)
    {
        using var scope = NewDisposeScope();
        if (FlatTensor.IsPlain(into))
            values.CopyTo(NativeTensor.AsSpan<float>(into));
        else
            into.copy_(tensor(values.ToArray()));
    }
}
