using System.Diagnostics;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Language;
using TorchSharp;
using Xunit;

namespace MLTransfer.Torch.Tests.Training;

[Collection(ProcessWideState.Name)]
public class TrainingMemoryTests
{
    /// <summary>Of this thread, where trainings run; those that another thread's finalizers count do not disturb it.</summary>
    private static long LiveTensors => DisposeScopeManager.Statistics.ThreadTotalLiveCount;

    [Theory]
    [InlineData(false, Precision.Float32, false)]
    [InlineData(true, Precision.Float32, false)]
    [InlineData(false, Precision.BFloat16, true)]
    [InlineData(true, Precision.BFloat16, false)]
    public void Sixty_steps_with_evaluations_leave_no_tensor_behind(bool adapters, Precision precision, bool gradientCheckpointing)
    {
        using var model = TinyRun.CreateModel(adapters ? TinyRunKind.Adapters : TinyRunKind.Improving);
        var options = new LanguageTrainingOptions
        {
            MaximumSteps = 60, BatchSize = 2, GradientAccumulationSteps = 2, EvaluationSteps = 10,
            Precision = precision, GradientCheckpointing = gradientCheckpointing,
        };
        var before = LiveTensors;
        var counts = new List<long>();
        var resident = new List<long>();
        new LanguageModelTrainer(model, options, TinyRun.Rows, TinyRun.ValidationRows).Train(
            new ProgressCallback(report =>
            {
                counts.Add(LiveTensors);
                if (report.Step % 10 != 0)
                    return;
                using var process = Process.GetCurrentProcess();
                resident.Add(process.WorkingSet64);
            }),
            TestContext.Current.CancellationToken);
        Assert.All(counts.Skip(2), count => Assert.Equal(counts[1], count));
        Assert.Equal(before, LiveTensors);
        Assert.True(resident[^1] - resident[1] < 30 << 20, $"resident memory grew by {resident[^1] - resident[1]} bytes in 50 steps");
    }

    [Fact]
    public void Adapters_that_are_merged_or_refused_leave_no_tensor_behind()
    {
        using var model = TinyRun.LoadModel();
        var before = LiveTensors;
        for (var i = 0; i < 3; i++)
        {
            LowRankAdaptation.Attach(model, new LoraOptions { TargetModules = ["all-linear"] });
            LowRankAdaptation.Merge(model);
            PeftAdapterFolder.Load(model, RepositoryFiles.Data("gpt2-tiny/lora_end"));
            LowRankAdaptation.Merge(model);
        }

        Assert.Equal(before, LiveTensors);
    }
}
