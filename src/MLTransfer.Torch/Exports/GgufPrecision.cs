namespace MLTransfer.Torch.Exports;

/// <summary>
/// The number format of matrices in a GGUF file. Vectors, norms and tables of positions are float32 in every file; a matrix whose rows are
/// no multiples of 32 is float16 where the others are in blocks.
/// </summary>
public enum GgufPrecision
{
    /// <summary>F32: 4 bytes a value.</summary>
    Float32,

    /// <summary>F16: 2 bytes a value.</summary>
    Float16,

    /// <summary>BF16: 2 bytes a value.</summary>
    BFloat16,

    /// <summary>Q8_0: blocks of 32 values of 8 bits with a scale; 1.06 bytes a value.</summary>
    Int8,

    /// <summary>Q4_0: blocks of 32 values of 4 bits with a scale; 0.56 bytes a value.</summary>
    Int4,
}
