namespace MLTransfer.Torch.Training;

/// <summary>What an update tells.</summary>
/// <param name="Loss">The loss that it lowers, before it.</param>
/// <param name="GradientNorm">The Euclidean norm of the gradient before clipping.</param>
/// <param name="LearningRate">The step size.</param>
internal readonly record struct UpdateResult(double Loss, double GradientNorm, double LearningRate);
