using MLTransfer.Torch.Networks.Transformers.Description;

namespace MLTransfer.Torch.Networks.Transformers.Gguf;

/// <summary>The tensors of a GGUF file that are no parameters: factors of rotations, and biases that llama.cpp asks for.</summary>
internal static class GgufConstants
{
    public const string Frequencies = "rope_freqs.weight";
    public const string ShortFactors = "rope_factors_short.weight";
    public const string LongFactors = "rope_factors_long.weight";

    /// <summary>Names and values.</summary>
    public static IEnumerable<(string Name, float[] Values)> Of(Transformer transformer, GgufArchitecture architecture)
    {
        var stack = transformer.Output;
        switch (stack.Blocks[0].Self.Rotary)
        {
            case { Scaling: Llama3Scaling scaling } rotary:
                yield return (Frequencies, [.. Divisors(rotary, scaling)]);
                break;
            case { Scaling: LongRopeScaling scaling }:
                yield return (LongFactors, [.. scaling.LongFactors.Select(factor => (float)factor)]);
                yield return (ShortFactors, [.. scaling.ShortFactors.Select(factor => (float)factor)]);
                break;
        }

        if (architecture.Biases != GgufBiases.Needed)
            yield break;
        for (var layer = 0; layer < stack.Blocks.Length; layer++)
        {
            var (self, width) = (stack.Blocks[layer].Self, stack.Width);
            if (!self.Inputs[0].HasBias)
                yield return ($"blk.{layer}.attn_qkv.bias", new float[(self.Heads + 2 * self.KeyValueHeads) * self.HeadWidth]);
            if (!self.Output.HasBias)
                yield return ($"blk.{layer}.attn_output.bias", new float[width]);
        }
    }

    /// <summary>What frequencies are divided by: 1 where waves are short, the factor where they are long, between them in between.</summary>
    private static IEnumerable<float> Divisors(Rotary rotary, Llama3Scaling scaling)
    {
        for (var i = 0; i < rotary.Width; i += 2)
        {
            var wave = 2 * Math.PI * Math.Pow(rotary.Theta, (double)i / rotary.Width);
            var turns = scaling.Original / wave;
            var smooth = (turns - scaling.LowFactor) / (scaling.HighFactor - scaling.LowFactor);
            yield return turns > scaling.HighFactor ? 1 : turns < scaling.LowFactor ? (float)scaling.Factor
                : (float)(1 / ((1 - smooth) / scaling.Factor + smooth));
        }
    }
}
