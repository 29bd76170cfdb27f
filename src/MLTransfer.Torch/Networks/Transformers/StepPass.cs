using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Memory;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Numerics.Rows;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>What all blocks share in one decoding step.</summary>
internal sealed class StepPass
{
    private readonly Dictionary<Rotary, (float[] Cosines, float[] Sines)> _rotations = [];
    private readonly Dictionary<string, float[]> _biases = [];
    private readonly Dictionary<int, int[]> _starts = [];
    private readonly long[] _positions;
    private readonly int[]? _lengths;

    /// <param name="step">Rows, cache and threads.</param>
    /// <param name="input">What is read.</param>
    /// <param name="countsPadding">Whether padding before a row's beginning counts as positions where the input does not tell them.</param>
    public StepPass(DecodingStep step, ModelInput input, bool countsPadding)
    {
        (Step, Encoded, _lengths) = (step, input.Encoded, input.RowLengths);
        _positions = new long[step.Rows];
        if (input.PositionIds is { } ids)
        {
            using var values = ids.contiguous();
            var given = NativeTensor.AsSpan<long>(values);
            for (var row = 0; row < _positions.Length; row++)
                _positions[row] = given[given.Length == 1 ? 0 : row];
        }
        else
        {
            for (var row = 0; row < _positions.Length; row++)
                _positions[row] = step.Cache.Length - (countsPadding ? 0 : step.Starts[row]);
        }
    }

    public DecodingStep Step { get; }

    /// <summary>What an encoder gave; null for stacks without cross-attention.</summary>
    public EncodedText? Encoded { get; }

    /// <summary>The number of sequences.</summary>
    public int Rows => Step.Rows;

    /// <summary>The position of the new token of each row.</summary>
    public ReadOnlySpan<long> Positions => _positions;

    /// <summary>For each row the first position that it sees through a window.</summary>
    public int[] Starts(int? window)
    {
        if (window is not { } width)
            return Step.Starts;
        if (!_starts.TryGetValue(width, out var starts))
            _starts.Add(width, starts = Array.ConvertAll(Step.Starts, start => Math.Max(start, Step.Cache.Length + 1 - width)));
        return starts;
    }

    /// <summary>Turns heads by the positions of their rows, where they lie.</summary>
    /// <param name="rotary">How.</param>
    /// <param name="table">The same as a table.</param>
    /// <param name="heads">[rows, heads, head width].</param>
    public void Turn(Rotary rotary, RotaryTable table, RowSlices heads)
    {
        var pairs = rotary.Width / 2;
        if (!_rotations.TryGetValue(rotary, out var turns))
        {
            turns = (new float[Rows * pairs], new float[Rows * pairs]);
            for (var row = 0; row < Rows; row++)
                table.At(_positions[row], _lengths?[row] ?? Step.Cache.Length + 1, turns.Cosines.AsSpan(row * pairs, pairs),
                    turns.Sines.AsSpan(row * pairs, pairs));
            _rotations.Add(rotary, turns);
        }

        RowRotation.Apply(heads, turns.Cosines, turns.Sines, rotary.Pairing == Pairing.Neighbours);
    }

    /// <summary>The bias by distance of all positions so far: [heads, positions].</summary>
    public float[] Bias(string table, RelativeBiasTable bias, int heads)
    {
        if (!_biases.TryGetValue(table, out var values))
        {
            values = new float[heads * (Step.Cache.Length + 1)];
            bias.At(Step.Cache.Length, values, heads);
            _biases.Add(table, values);
        }

        return values;
    }
}
