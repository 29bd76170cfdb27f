namespace MLTransfer.Torch.Training;

/// <summary>The loss or the gradient became NaN or infinite. The model has its last good weights again.</summary>
public sealed class TrainingDivergedException : Exception
{
    /// <summary>Names the step and the value.</summary>
    public TrainingDivergedException(int step, double loss, double gradientNorm)
        : base($"Training diverged at step {step}: the loss is {loss} and the gradient norm {gradientNorm}. The last good weights were restored. "
            + "Lower the learning rate, add warm-up steps, or look for broken rows in the training data.")
    {
        Step = step;
    }

    /// <summary>The step, counted from 1, that was not carried out.</summary>
    public int Step { get; }
}
