using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Optimizers;

namespace MLTransfer.Torch.Tests.Training.Optimizers;

/// <summary>Options of any kind of training, with another optimizer.</summary>
internal static class OptimizerChoice
{
    public static T With<T>(this T options, OptimizerAlgorithm optimizer)
        where T : EpochTrainingOptions => (T)((EpochTrainingOptions)options with
        {
            Optimizer = optimizer,
            LearningRateSchedule = optimizer == OptimizerAlgorithm.ScheduleFreeAdamW
                ? LearningRateSchedule.Constant : options.LearningRateSchedule,
        });
}
