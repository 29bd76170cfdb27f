namespace MLTransfer.Torch.Training;

/// <summary>The loss or the gradient became NaN or infinite. The model has its last good weights again.</summary>
public sealed class TrainingDivergedException : Exception
{
    /// <summary>Names the step and the values.</summary>
    public TrainingDivergedException(int step, double loss, double gradientNorm)
        : this(step, "loss", loss, gradientNorm)
    {
    }

    /// <summary>For a loss on the validation rows that is NaN or infinite after a step whose own loss was not.</summary>
    public TrainingDivergedException(int step, double validationLoss)
        : this(step, $"the loss on the validation rows is {validationLoss}")
    {
    }

    internal TrainingDivergedException(int step, string lossName, double loss, double gradientNorm)
        : this(step, $"the {lossName} is {loss} and the gradient norm {gradientNorm}")
    {
    }

    internal TrainingDivergedException(int step, string fault)
        : base($"Training diverged at step {step}: {fault}. The last good weights were restored. "
            + "Lower the learning rate, add warm-up steps, or look for broken rows in the training data.")
    {
        Step = step;
    }

    /// <summary>The step, counted from 1, at which it was seen; 0 where the model's own weights gave it before the first step.</summary>
    public int Step { get; }
}
