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
            case { } rotary when TellsDivisors(rotary.Scaling):
                yield return (Frequencies, [.. Divisors(rotary)]);
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

    /// <summary>
    /// Whether a file tells a scaling by what each frequency is divided by: Llama 3's, and of YaRN what is not llama.cpp's usual.
    /// </summary>
    public static bool TellsDivisors(RotaryScaling? scaling) => scaling is Llama3Scaling
        || (scaling is YarnScaling yarn && (yarn.FastTurns != 32 || yarn.SlowTurns != 1 || !yarn.Truncate));

    private static IEnumerable<float> Divisors(Rotary rotary)
    {
        var plain = new RotaryTable(rotary with { Scaling = null }).Frequencies(1);
        return plain.Zip(new RotaryTable(rotary).Frequencies(1), (before, after) => (float)(before / after));
    }
}
