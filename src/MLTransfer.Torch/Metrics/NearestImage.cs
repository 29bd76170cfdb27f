namespace MLTransfer.Torch.Metrics;

/// <summary>A generated image and the training image that it is nearest to.</summary>
/// <param name="Seed">The seed that the image was made from.</param>
/// <param name="Row">The number of the training image, from 0.</param>
/// <param name="Distance">Between their features.</param>
public sealed record NearestImage(long Seed, int Row, double Distance);
