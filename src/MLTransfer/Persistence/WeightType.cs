using TorchSharp;

#pragma warning disable CA1720 // The names of the formats are the names of types.

namespace MLTransfer;

/// <summary>The number format that a model file stores weights in. Computation is in float32 whatever the file holds.</summary>
public enum WeightType
{
    /// <summary>Four bytes a weight, exact.</summary>
    Float32,

    /// <summary>Two bytes a weight: 11 bits of precision, magnitudes up to 65504.</summary>
    Float16,

    /// <summary>Two bytes a weight: 8 bits of precision, the range of float32.</summary>
    BFloat16,
}

internal static class WeightTypeConversion
{
    public static torch.ScalarType ToScalarType(this WeightType type) => type switch
    {
        WeightType.Float32 => torch.ScalarType.Float32,
        WeightType.Float16 => torch.ScalarType.Float16,
        WeightType.BFloat16 => torch.ScalarType.BFloat16,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Unknown weight type."),
    };
}
