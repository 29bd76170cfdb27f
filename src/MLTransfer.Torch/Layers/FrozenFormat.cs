#pragma warning disable CA1720 // The names of the formats are the names of types.

namespace MLTransfer.Torch.Layers;

/// <summary>What frozen matrices are kept in while a network is trained.</summary>
public enum FrozenFormat
{
    /// <summary>8 bits in blocks of 32 with a float16 scale (Q8_0): 8.5 bits a weight.</summary>
    Int8,

    /// <summary>
    /// 4 bits in blocks of 32 with a float16 scale (Q4_0), that of the least squared error: 4.5 bits a weight.
    /// </summary>
    Int4,

    /// <summary>
    /// 16 quantiles of a normal distribution in blocks of 64 with a float32 scale (NF4, arXiv 2305.14314): 4.5 bits a weight.
    /// </summary>
    NormalFloat4,

    /// <summary><see cref="NormalFloat4"/> with scales in 8 bits (double quantization): 4.13 bits a weight.</summary>
    DoubleNormalFloat4,
}
