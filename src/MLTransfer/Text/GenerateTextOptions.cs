using MLTransfer.Torch.Layers;

namespace MLTransfer;

/// <summary>How a transformer generates text with a TorchSharp model, and which columns it makes.</summary>
public class GenerateTextOptions : TextColumnsOptions
{
    /// <summary>
    /// The number format that texts are generated with. Other than <see cref="DecodingPrecision.Float32"/>, the transformer makes a second
    /// network of that format when it generates first, beside the one that is evaluated and saved. A saved model file keeps the choice.
    /// </summary>
    public DecodingPrecision DecodingPrecision = DecodingPrecision.Float32;

    /// <summary>
    /// What computes texts token by token. It is a matter of the machine: a saved model file does not keep it.
    /// See <see cref="Torch.Networks.Transformers.TransformerNetwork.DecodingKernels"/> for a loaded one.
    /// </summary>
    public DecodingKernels DecodingKernels = DecodingKernels.Auto;

    /// <summary>The number format in which a saved model file holds the weights.</summary>
    public WeightType WeightType = WeightType.Float32;

    internal override void Check()
    {
        base.Check();
        OptionCheck.Defined(nameof(DecodingPrecision), DecodingPrecision);
        OptionCheck.Defined(nameof(DecodingKernels), DecodingKernels);
        OptionCheck.Defined(nameof(WeightType), WeightType);
    }
}
