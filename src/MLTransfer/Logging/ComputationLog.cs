using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Training;
using Microsoft.ML.Runtime;

namespace MLTransfer.Logging;

/// <summary>What <c>mlContext.Log</c> says about what a training computes with, and about what will hold it up.</summary>
internal static class ComputationLog
{
    public static void Tell(IChannel channel, TrainingComputation computation)
    {
        channel.Info($"Computing in {computation}.");
        if (MachineLoad.Read().Warning(computation.Threads) is { } warning)
            channel.Info(warning);
        if (ThreadWaiting.IsTooLate && computation.Threads > 1)
        {
            channel.Info("TorchSharp was used before MLTransfer: its threads wait in a way that holds up other programs. Use MLTransfer "
                + $"first, or start the program with {ThreadWaiting.SpinVariable}={ThreadWaiting.SpinCount} in its environment.");
        }
    }
}
