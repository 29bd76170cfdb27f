using MLTransfer.Torch.Memory;
using TorchSharp;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Codecs.EnCodec;

/// <summary>A sequence that lies step by step, [T, channels] in float32, with room before and after it.</summary>
internal sealed unsafe class RowSequence : IDisposable
{
    private readonly RowPool? _pool;
    private readonly Tensor _memory;
    private readonly int _before;

    /// <param name="steps">T.</param>
    /// <param name="channels">Numbers of a step.</param>
    /// <param name="room">Steps before and after.</param>
    /// <param name="pool">Where the memory is from; null for new memory.</param>
    public RowSequence(int steps, int channels, RowRoom room, RowPool? pool = null)
    {
        (_pool, Steps, Channels, _before) = (pool, steps, channels, room.Before);
        var count = ((long)room.Before + steps + room.After) * channels;
        _memory = pool?.Rent(count) ?? empty([count], ScalarType.Float32).DetachFromDisposeScope();
    }

    public int Steps { get; }

    public int Channels { get; }

    /// <summary>The numbers of a step; those before the first and after the last are in the room.</summary>
    public float* this[int step] => (float*)NativeTensor.Pointer(_memory) + ((nint)_before + step) * Channels;

    /// <summary>The steps as a tensor [T, channels], as long as the sequence is not disposed.</summary>
    public Tensor View() => _memory.narrow(0, (long)_before * Channels, (long)Steps * Channels).view(Steps, Channels);

    /// <summary>Fills the room next to the sequence.</summary>
    public void Pad(int left, int right, PaddingModes mode)
    {
        // What is too short to be reflected is lengthened by zeros, of which as many as that are cut off again.
        var end = Steps + (mode == PaddingModes.Reflect ? Math.Max(0, Math.Max(left, right) - Steps + 1) : 0);
        for (var step = -left; step < 0; step++)
            Fill(step, mode == PaddingModes.Reflect ? -step : 0);
        for (var step = Steps; step < Steps + right; step++)
            Fill(step, mode != PaddingModes.Reflect ? Steps - 1 : step < end ? step : 2 * (end - 1) - step);

        void Fill(int step, int source)
        {
            var target = new Span<float>(this[step], Channels);
            if (mode == PaddingModes.Constant || source >= Steps)
                target.Clear();
            else
                new ReadOnlySpan<float>(this[source], Channels).CopyTo(target);
        }
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        if (_pool is null)
            _memory.Dispose();
        else
            _pool.Return(_memory);
    }
}

/// <summary>Steps before and after a sequence that can be written or read.</summary>
internal readonly record struct RowRoom(int Before, int After)
{
    public RowRoom Or(RowRoom other) => new(Math.Max(Before, other.Before), Math.Max(After, other.After));
}

/// <summary>What a layer reads of a sequence: as it is, or its exponential linear unit, and how much beside it.</summary>
internal readonly record struct RowDemand(bool Plain, bool Activated, RowRoom Room);

/// <summary>A sequence as it is, its exponential linear unit, or both.</summary>
internal sealed unsafe class RowForms(RowPool pool, int steps, int channels, RowDemand demand, RowRoom overhang) : IDisposable
{
    public int Steps => steps;

    /// <summary>Where the pass takes memory from.</summary>
    public RowPool Pool => pool;

    public RowSequence? Plain { get; } = demand.Plain ? new(steps, channels, demand.Room.Or(overhang), pool) : null;

    public RowSequence? Activated { get; } = demand.Activated ? new(steps, channels, demand.Room.Or(overhang), pool) : null;

    /// <summary>Where the numbers of a step of <see cref="Plain"/> are; null where it is not there.</summary>
    public float* PlainAt(int step) => Plain is null ? null : Plain[step];

    /// <summary>Where the numbers of a step of <see cref="Activated"/> are; null where it is not there.</summary>
    public float* ActivatedAt(int step) => Activated is null ? null : Activated[step];

    /// <summary>The sequence that a tensor [T, channels] holds.</summary>
    public static RowForms Of(RowPool pool, Tensor steps, RowDemand demand)
    {
        using var scope = NewDisposeScope();
        var forms = new RowForms(pool, (int)steps.shape[0], (int)steps.shape[1], demand, default);
        forms.Plain?.View().copy_(steps);
        forms.Activated?.View().copy_(steps.elu());
        return forms;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Plain?.Dispose();
        Activated?.Dispose();
    }
}
