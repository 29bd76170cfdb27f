using MLTransfer.Torch.Training;

namespace MLTransfer.Logging;

/// <summary>What <c>mlContext.Log</c> says about the number format of a training.</summary>
internal static class PrecisionText
{
    /// <param name="used">What the trainer computes in.</param>
    /// <param name="asked">What the options say.</param>
    public static string Of(Precision used, Precision asked) => (used, asked) switch
    {
        (Precision.BFloat16, Precision.Auto) => "bfloat16, which this machine has instructions for",
        (Precision.BFloat16, _) => "bfloat16",
        (_, Precision.Auto) => "float32: this machine has no instructions for bfloat16",
        _ => "float32",
    };
}
