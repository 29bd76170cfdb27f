using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Contract;
using MLTransfer.Torch.Tests.Generation;
using MLTransfer.Torch.Tests.Networks.Transformers;
using MLTransfer.Torch.Tests.Training;
using MLTransfer.Torch.Tests.Training.Adversarial;
using MLTransfer.Torch.Tests.Training.Preferences;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Language;
using MLTransfer.Torch.Training.Preferences;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Devices;

/// <summary>What holds on a graphics processor as it does on the CPU.</summary>
[Collection(ProcessWideState.Name)]
public sealed class CudaTests : IDisposable
{
    private readonly TemporaryFolder _folders = new();

    public CudaTests() => Assert.SkipUnless(
        cuda.is_available(), "There is no graphics processor here that CUDA knows, or libtorch's package for it is not referenced.");

    public static IEnumerable<TheoryDataRow<string>> Folders => FamilyFolders.All;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folders.Dispose();

    [Theory]
    [MemberData(nameof(Folders))]
    public void Every_family_gives_the_losses_that_it_gives_on_the_processor(string folder)
    {
        using var expected = FamilyFolders.Load(folder);
        Assert.SkipUnless(FamilyRows.CanBeMadeFor(expected), "The trainer takes no such network.");
        using var actual = TransformerNetwork.Load(FamilyFolders.PathOf(folder), device: CUDA);
        var options = new LanguageTrainingOptions { MaximumSteps = 3, BatchSize = 2, LearningRate = 1e-3, Precision = Precision.Float32 };

        var onProcessor = Train(expected, options);
        var onDevice = Train(actual, options);
        Assert.Equal(3, onDevice.Count);
        Assert.All(onProcessor.Zip(onDevice), pair => Assert.Equal(pair.First, pair.Second, 2e-3 * pair.First));
    }

    [Fact]
    public void Preferences_give_the_losses_that_they_give_on_the_processor()
    {
        Assert.All(Losses(CPU).Zip(Losses(CUDA)), pair => Assert.Equal(pair.First, pair.Second, 1e-3));

        static List<double> Losses(Device device)
        {
            using var model = TransformerNetwork.Load(FamilyFolders.PathOf("gpt2-tiny"), device: device);
            return [.. new PreferenceTrainer(model, PreferenceRunTests.Options, TinyPairs.Training)
                .Train(cancellationToken: Cancellation).History.Select(report => report.Loss).OfType<double>()];
        }
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Greedy_and_beam_tokens_equal_the_reference(string folder)
    {
        var file = Path.Combine(FamilyFolders.PathOf(folder), "generation.json");
        Assert.SkipUnless(folder != "gpt2-tiny" && File.Exists(file), "The data have no tokens of it.");
        using var network = TransformerNetwork.Load(FamilyFolders.PathOf(folder), device: CUDA);
        var generator = new TokenGenerator(network);
        foreach (var test in JsonNode.Parse(File.ReadAllText(file))!["cases"]!.AsArray())
        {
            var prompt = TinyGenerator.Ids(test!["prompt_ids"]);
            var options = GenerationReferenceTests.ToOptions(test["options"]?.AsObject() ?? [], test["max_new_tokens"]!.GetValue<int>());
            int[] start = network is EncoderDecoderModel both ? [both.DecoderStartTokenId] : prompt;
            Assert.Equal(
                TinyGenerator.Ids(test["output_ids"]), start.Concat(generator.Generate([prompt], options, Cancellation)[0][0].TokenIds));
        }
    }

    [Fact]
    public void Training_follows_the_reference()
    {
        using var model = CausalLanguageModel.Load(TinyGenerator.Folder, device: CUDA);
        var run = ReferenceRun.Read(RepositoryFiles.Data("gpt2-tiny/training.json"), model);
        var reported = new List<TrainingProgress>();
        new LanguageModelTrainer(model, run.Options, run.Rows).Train(new ProgressCallback(reported.Add), Cancellation);

        Assert.All(run.Log.Zip(reported), step =>
        {
            Assert.Equal(step.First.Loss, step.Second.Loss!.Value, 1e-3 * step.First.Loss);
            Assert.Equal(step.First.GradientNorm, step.Second.GradientNorm!.Value, 2e-3 * step.First.GradientNorm);
        });
    }

    [Theory]
    [InlineData(Precision.Float32, false)]
    [InlineData(Precision.BFloat16, false)]
    [InlineData(Precision.Auto, true)]
    public void A_cancelled_and_resumed_run_ends_with_the_same_bits(Precision precision, bool lora)
    {
        var expected = Run("whole", resume: false);
        Assert.Throws<OperationCanceledException>(() => Run("interrupted", resume: false, cancelledAt: 3));
        var actual = Run("interrupted", resume: true);
        Assert.All(expected, weight => Assert.True(weight.Value.AsSpan().SequenceEqual(actual[weight.Key]), weight.Key));

        IReadOnlyDictionary<string, byte[]> Run(string folder, bool resume, int cancelledAt = 0)
        {
            using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            using var model = CausalLanguageModel.Load(TinyGenerator.Folder, device: CUDA);
            if (lora)
                LowRankAdaptation.Attach(model, new LoraOptions(), seed: 5);
            var options = new LanguageTrainingOptions
            {
                MaximumSteps = 5, BatchSize = 2, GradientAccumulationSteps = 2, LearningRate = 2e-3, Precision = precision,
                OutputDirectory = _folders[folder], CheckpointSteps = 2, Resume = resume,
            };
            new LanguageModelTrainer(model, options, TinyRun.Rows).Train(new ProgressCallback(report =>
            {
                if (report.Step == cancelledAt)
                    cancellation.Cancel();
            }), cancellation.Token);
            if (lora)
                LowRankAdaptation.Merge(model);
            return model.CheckpointTensors().ToDictionary(t => t.Key, t =>
            {
                using var copy = t.Value.detach().cpu();
                return copy.bytes.ToArray();
            });
        }
    }

    [Fact]
    public void Images_equal_the_reference()
    {
        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        using var model = StyleGan2Model.Load(RepositoryFiles.Data("stylegan2-tiny"), CUDA);
        using var reference = SafetensorsFile.Open(RepositoryFiles.Data("stylegan2-tiny/forward.safetensors"));
        var image = model.Generator.Generate(reference.Read("z").cuda(), noise: NoiseMode.Constant).cpu();
        Assert.True((image - reference.Read("image_const")).abs().max().item<float>() < 1e-3);
    }

    [Fact]
    public void An_image_generator_is_trained_and_resumed()
    {
        using var images = TinyImages.Create();
        var whole = Run("whole", resume: false, cancelledAt: 0);
        Assert.Throws<OperationCanceledException>(() => Run("interrupted", resume: false, cancelledAt: 5));
        var resumed = Run("interrupted", resume: true, cancelledAt: 0);
        Assert.All(whole.Zip(resumed), pair => Assert.Equal(pair.First, pair.Second, 1e-3));

        List<double> Run(string folder, bool resume, int cancelledAt)
        {
            using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
            using var start = TinyImages.CreateModel();
            start.Save(Directory.CreateDirectory(_folders["start"]).FullName);
            using var model = StyleGan2Model.Load(_folders["start"], CUDA);
            var result = new StyleGan2Trainer(model, TinyImages.Options(_folders[folder], resume), images).Train(
                new Progress(report =>
                {
                    if (report.Step == cancelledAt)
                        cancellation.Cancel();
                }), cancellation.Token);
            return [.. result.History.TakeLast(2).Select(report => report.GeneratorLoss!.Value)];
        }
    }

    private static List<double> Train(TransformerNetwork network, LanguageTrainingOptions options)
    {
        var losses = new List<double>();
        new LanguageModelTrainer(network, options, FamilyRows.Of(network)).Train(
            new ProgressCallback(report => losses.Add(report.Loss!.Value)), Cancellation);
        return losses;
    }

    private sealed class Progress(Action<StyleGan2Progress> report) : IProgress<StyleGan2Progress>
    {
        public void Report(StyleGan2Progress value) => report(value);
    }
}
