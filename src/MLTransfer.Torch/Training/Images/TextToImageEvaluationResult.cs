namespace MLTransfer.Torch.Training.Images;

/// <summary>The loss of a network that writes codes of pictures, on pictures with their captions.</summary>
/// <param name="Loss">What training makes less: the mean over rows, in nats.</param>
/// <param name="Parts">What the loss consists of, by name, such as <c>loss_image</c> for the mean over codes of -ln p(code).</param>
public sealed record TextToImageEvaluationResult(double Loss, IReadOnlyDictionary<string, double> Parts);
