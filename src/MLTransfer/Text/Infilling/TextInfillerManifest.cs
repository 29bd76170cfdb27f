using MLTransfer.Persistence;
using MLTransfer.Torch.Generation.Infilling;

namespace MLTransfer.Text.Infilling;

/// <summary>What a saved text infiller consists of.</summary>
internal sealed record TextInfillerManifest : ModelManifest
{
    public required TextInfillerColumns Columns { get; init; }

    public required InfillingOptions Infilling { get; init; }

    public required DecodingPrecision DecodingPrecision { get; init; }

    public required WeightType WeightType { get; init; }

    /// <summary>Where the file holds only adapters: the model that they belong to.</summary>
    public BaseModelReference? BaseModel { get; init; }

    public override void Check()
    {
        base.Check();
        Infilling.Check();
        OptionCheck.Defined(nameof(DecodingPrecision), DecodingPrecision);
        OptionCheck.Defined(nameof(WeightType), WeightType);
        BaseModel?.Check();
    }
}
