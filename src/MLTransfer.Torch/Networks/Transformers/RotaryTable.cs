using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Layers.Fused;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Transformers;

/// <summary>The cosines and sines that queries and keys are turned by.</summary>
internal sealed class RotaryTable(Rotary rotary)
{
    /// <summary>Angle of a pair at position 1, for each pair; computed in double and rounded once.</summary>
    /// <param name="length">The positions of the text, those in the cache included.</param>
    public double[] Frequencies(int length)
    {
        var pairs = rotary.Width / 2;
        var theta = rotary.Theta;
        if (rotary.Scaling is DynamicScaling dynamic && length > dynamic.Original)
        {
            theta *= Math.Pow(
                dynamic.Factor * length / dynamic.Original - (dynamic.Factor - 1), rotary.Width / (rotary.Width - 2.0));
        }

        var frequencies = new double[pairs];
        for (var i = 0; i < pairs; i++)
            frequencies[i] = Scaled(Math.Pow(theta, -2.0 * i / rotary.Width), i, length);
        return frequencies;
    }

    /// <summary>What cosines and sines are multiplied with.</summary>
    public double AttentionFactor => rotary.Scaling switch
    {
        YarnScaling yarn => yarn.AttentionFactor,
        LongRopeScaling longRope => longRope.AttentionFactor,
        _ => 1,
    };

    /// <summary>The length of a text beyond which all its keys have another rotation; null where there is none.</summary>
    public int? SwitchLength => (rotary.Scaling as LongRopeScaling)?.Original;

    /// <summary>Cosines and sines, each [batch or 1, 1, length, width / 2] float32.</summary>
    /// <param name="positions">[batch or 1, length] int64.</param>
    /// <param name="lengths">The positions of the text of each row, or of all rows: those in the cache included.</param>
    public (Tensor Cosines, Tensor Sines) At(Tensor positions, params ReadOnlySpan<int> lengths)
    {
        using var scope = NewDisposeScope();
        var pairs = rotary.Width / 2;
        if (rotary.Scaling?.UnchangedLength is null)
            lengths = lengths[..1];
        var values = new float[lengths.Length * pairs];
        for (var row = 0; row < lengths.Length; row++)
            Array.ConvertAll(Frequencies(lengths[row]), f => (float)f).CopyTo(values, row * pairs);
        var frequencies = tensor(values, [lengths.Length, 1, pairs], device: positions.device);
        var angles = positions.to(ScalarType.Float32).unsqueeze(-1) * frequencies;   // [batch, length, width / 2]
        var (cosines, sines) = (angles.cos(), angles.sin());
        if (AttentionFactor != 1)
            (cosines, sines) = (cosines * AttentionFactor, sines * AttentionFactor);
        return (cosines.unsqueeze(1).MoveToOuterDisposeScope(), sines.unsqueeze(1).MoveToOuterDisposeScope());
    }

    /// <summary>Cosines and sines of one position, each [width / 2].</summary>
    /// <param name="position">The position.</param>
    /// <param name="length">The positions of the text, those in the cache included.</param>
    /// <param name="cosines">Takes the cosines.</param>
    /// <param name="sines">Takes the sines.</param>
    public void At(long position, int length, Span<float> cosines, Span<float> sines)
    {
        var frequencies = Frequencies(length);
        var factor = (float)AttentionFactor;
        for (var i = 0; i < frequencies.Length; i++)
        {
            var angle = position * (float)frequencies[i];
            (cosines[i], sines[i]) = (MathF.Cos(angle) * factor, MathF.Sin(angle) * factor);
        }
    }

    /// <summary>Turns the first values of each head.</summary>
    /// <param name="heads">[batch, heads, length, head width].</param>
    /// <param name="cosines">[batch or 1, 1, length, width / 2].</param>
    /// <param name="sines">The same.</param>
    public Tensor Turn(Tensor heads, Tensor cosines, Tensor sines)
    {
        using var scope = NewDisposeScope();
        if (RotationFunction.Takes(heads))
        {
            return RotationFunction.Call(heads.transpose(1, 2), cosines, sines, rotary.Pairing == Pairing.Neighbours).transpose(1, 2)
                .MoveToOuterDisposeScope();
        }

        var (cos, sin) = (cosines.to(heads.dtype), sines.to(heads.dtype));
        var half = rotary.Width / 2;
        var rest = heads.shape[^1] - rotary.Width;
        if (rotary.Pairing == Pairing.Halves)
        {
            var (a, b) = (heads.narrow(-1, 0, half), heads.narrow(-1, half, half));
            Tensor[] turned = [a * cos - b * sin, b * cos + a * sin];
            return cat(rest > 0 ? [.. turned, heads.narrow(-1, rotary.Width, rest)] : turned, -1).MoveToOuterDisposeScope();
        }

        var values = heads.narrow(-1, 0, rotary.Width);
        var pairs = values.reshape([.. values.shape[..^1], half, 2]);                // [batch, heads, length, width / 2, 2]
        var (first, second) = (pairs.select(-1, 0), pairs.select(-1, 1));
        var both = stack([first * cos - second * sin, second * cos + first * sin], -1).reshape(values.shape);
        return (rest > 0 ? cat([both, heads.narrow(-1, rotary.Width, rest)], -1) : both).MoveToOuterDisposeScope();
    }

    private double Scaled(double frequency, int pair, int length)
    {
        switch (rotary.Scaling)
        {
            case LinearScaling linear:
                return frequency / linear.Factor;
            case Llama3Scaling llama:
                var turns = llama.Original * frequency / (2 * Math.PI); // over the positions of pretraining
                if (turns > llama.HighFactor)
                    return frequency;
                if (turns < llama.LowFactor)
                    return frequency / llama.Factor;
                var share = (turns - llama.LowFactor) / (llama.HighFactor - llama.LowFactor);
                return (1 - share) * frequency / llama.Factor + share * frequency;
            case YarnScaling yarn:
                var (low, high) = Ramp(yarn);
                var divided = Math.Clamp((pair - low) / (high == low ? 0.001 : high - low), 0, 1);
                return frequency * (1 - divided) + frequency / yarn.Factor * divided;
            case LongRopeScaling longRope:
                return frequency / (length > longRope.Original ? longRope.LongFactors : longRope.ShortFactors)[pair];
            default:
                return frequency;
        }
    }

    /// <summary>The pairs between which YaRN goes over from keeping frequencies to dividing them.</summary>
    private (double Low, double High) Ramp(YarnScaling yarn)
    {
        var (low, high) = (PairWithTurns(yarn.FastTurns), PairWithTurns(yarn.SlowTurns));
        if (yarn.Truncate)
            (low, high) = (Math.Floor(low), Math.Ceiling(high));
        return (Math.Max(low, 0), Math.Min(high, rotary.Width - 1));

        double PairWithTurns(double turns) =>
            rotary.Width * Math.Log(yarn.Original / (turns * 2 * Math.PI)) / (2 * Math.Log(rotary.Theta));
    }
}
