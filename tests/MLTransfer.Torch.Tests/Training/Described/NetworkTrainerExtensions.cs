using MLTransfer.Torch.Training.Described;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Described;

/// <summary>Calls that end with the test.</summary>
internal static class NetworkTrainerExtensions
{
    public static TrainingHistory TrainNow(this NetworkTrainer trainer, ITrainingRows training, ITrainingRows? validation = null) =>
        trainer.Train(training, validation, progress: null, TestContext.Current.CancellationToken);

    public static (double Loss, double Metric) EvaluateNow(this NetworkTrainer trainer, ITrainingRows rows) =>
        trainer.Evaluate(rows, TestContext.Current.CancellationToken);
}
