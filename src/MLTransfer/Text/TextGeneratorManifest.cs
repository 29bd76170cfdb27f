
namespace MLTransfer.Text;

/// <summary>What a saved TorchSharp text generator consists of.</summary>
internal sealed record TextGeneratorManifest : TextManifest
{
    /// <summary>Not in files of the first version, which generate in float32.</summary>
    public DecodingPrecision DecodingPrecision { get; init; }

    public required WeightType WeightType { get; init; }

    /// <summary>How texts become rows. Not in files of 0.1, for which it is as by default.</summary>
    public TextRowForm? RowForm { get; init; }

    /// <summary>Where the file holds only adapters: the model that they belong to.</summary>
    public BaseModelReference? BaseModel { get; init; }

    public override void Check()
    {
        base.Check();
        OptionCheck.Defined(nameof(DecodingPrecision), DecodingPrecision);
        OptionCheck.Defined(nameof(WeightType), WeightType);
        BaseModel?.Check();
        RowForm?.Check();
    }
}
