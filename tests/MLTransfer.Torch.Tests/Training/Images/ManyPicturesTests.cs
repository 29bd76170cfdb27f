using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Networks;
using MLTransfer.Torch.Tests.Networks.Dalle;
using MLTransfer.Torch.Tests.Networks.DalleMini;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Images;
using TorchSharp;
using Xunit;

namespace MLTransfer.Torch.Tests.Training.Images;

/// <summary>Pictures are drawn and learned 64 at once, and nothing of them stays in memory.</summary>
public class ManyPicturesTests
{
    private const int Count = 64;

    private static long LiveTensors => DisposeScopeManager.Statistics.ThreadTotalLiveCount;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Drawing_and_training_leave_no_tensors_behind(bool isMini)
    {
        using TextToImageModel model = isMini ? TinyDalleMini.Load() : TinyDalle.Load(TinyDalle.Plain);
        var generator = new TextToImageGenerator(model, isMini ? TextTokenizer.Load(TinyDalleMini.Folder) : null);
        ImagePrompt[] prompts = [.. Enumerable.Range(0, Count).Select(i => ImagePrompt.FromText(isMini ? $"a red robot {i}" : ""))];
        Draw();
        var before = LiveTensors;
        Draw();
        Assert.Equal(before, LiveTensors);

        var random = new Random(1);
        TextToImageRow[] rows = [.. Enumerable.Range(0, Count).Select(_ => new TextToImageRow(
            model.PadCaption([2, 3]), [.. Enumerable.Range(0, model.CodesPerSide * model.CodesPerSide).Select(_ => random.Next(32))]))];
        var options = new TextToImageTrainingOptions { BatchSize = Count, MaximumSteps = 4, Precision = Precision.BFloat16 };
        var steps = new List<long>();
        new TextToImageTrainer(model, options, rows, [], tokenizer: null).Train(
            new Watcher(() => steps.Add(LiveTensors)), TestContext.Current.CancellationToken);
        Assert.True(steps.Count >= 4);
        Assert.Single(steps.Skip(1).Take(3).Distinct());

        void Draw() => generator.Generate(prompts, new ImageGenerationOptions { BatchSize = 2 * Count, Seed = 1 });
    }

    private sealed class Watcher(Action observe) : IProgress<TextToImageProgress>
    {
        public void Report(TextToImageProgress value) => observe();
    }
}
