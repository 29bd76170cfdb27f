namespace MLTransfer.Text;

/// <summary>How a transformer generates text with a TorchSharp model, and which columns it makes.</summary>
public class GenerateTextOptions : GeneratedTextOptions
{
    /// <summary>The number format in which a saved model file holds the weights.</summary>
    public WeightType WeightType = WeightType.Float32;

    internal override void Check()
    {
        base.Check();
        OptionCheck.Defined(nameof(WeightType), WeightType);
    }
}
