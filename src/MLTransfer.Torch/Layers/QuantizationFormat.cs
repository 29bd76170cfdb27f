#pragma warning disable CA1720 // The names of the formats are the names of types.

namespace MLTransfer.Torch.Layers;

/// <summary>The number format of quantized matrices.</summary>
public enum QuantizationFormat
{
    /// <summary>8 bits, with a float32 scale for each output: its largest magnitude / 127.</summary>
    Int8,

    /// <summary>
    /// 4 bits in groups of 32 inputs, with a bfloat16 scale for each group of each output: 4.5 bits a weight. The scale is the one that
    /// leaves the least squared error among those that bring the largest magnitude near the outermost code, 8 steps from zero.
    /// </summary>
    Int4,
}
