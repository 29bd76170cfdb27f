using MLTransfer.Torch.Collectives;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Numerics;
using MLTransfer.Torch.Tests.Networks.Images;
using MLTransfer.Torch.Tests.Networks.MusicGen;
using MLTransfer.Torch.Tests.Training.Adversarial;
using MLTransfer.Torch.Tests.Training.Audio;
using MLTransfer.Torch.Tests.Training.Described;
using MLTransfer.Torch.Tests.Training.Images;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Adversarial;
using MLTransfer.Torch.Training.Audio;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Images;
using MLTransfer.Torch.Training.Optimizers;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Ranks;

/// <summary>Every kind of training with its rows divided among ranks, or refused by name.</summary>
[Collection(ProcessWideState.Name)]
public sealed class SharedTaskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Kinds => ["music", "speech", "pictures of captions", "discrete VAE", "layers"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Two_ranks_end_with_the_weights_and_figures_of_one_process(string kind)
    {
        var alone = ThreadCollective.Run(1, ranks => Train(kind, null, rowsOfPass: 4))[0];
        var shared = ThreadCollective.Run(2, ranks => Train(kind, ranks, rowsOfPass: 2));
        Assert.Equal(shared[0].Bits, shared[1].Bits);
        Assert.InRange(WeightDistance.Of(alone.Weights, shared[0].Weights), 0, 1e-5);
        Assert.All(shared, one =>
        {
            Assert.Equal(alone.Figures.Length, one.Figures.Length);
            Assert.All(alone.Figures.Zip(one.Figures), pair => Assert.Equal(
                pair.First, pair.Second, 1e-4 * Math.Max(1, Math.Abs(pair.First))));
        });
        Assert.True(alone.Figures.Length > 6);
    }

    [Fact]
    public void Ranks_of_a_StyleGAN2_have_pictures_of_their_own_and_end_with_the_same_bits_also_when_resumed()
    {
        var whole = ThreadCollective.Run(2, ranks => Draw(ranks, TinyImages.Options(_folder["whole"])));
        Assert.Equal(whole[0].Bytes, whole[1].Bytes);
        Assert.Equal(whole[0].Progress, whole[1].Progress);
        Assert.Equal(TinyImages.Steps, whole[0].Progress.Count);
        Assert.Equal(8, whole[0].Progress[0].Images); // four of each

        using var source = new CancellationTokenSource();
        Assert.Throws<AggregateException>(() => ThreadCollective.Run(2, ranks => Draw(
            ranks, TinyImages.Options(_folder["parts"]), ranks.Rank == 1 ? source : null)));
        var resumed = ThreadCollective.Run(2, ranks => Draw(ranks, TinyImages.Options(_folder["parts"], resume: true)));
        Assert.Equal(whole[0].Bytes, resumed[0].Bytes);
        Assert.Equal(whole[0].Bytes, resumed[1].Bytes);

        static (SortedDictionary<string, byte[]> Bytes, List<StyleGan2Progress> Progress) Draw(
            ICollective ranks, AdversarialTrainingOptions options, CancellationTokenSource? cancellation = null)
        {
            using var model = CreateModel();
            using var images = TinyImages.Create();
            var progress = new List<StyleGan2Progress>();
            new StyleGan2Trainer(model, options with
            {
                Collective = ranks, TotalImages = 2 * options.TotalImages, CheckpointImages = 2 * options.CheckpointImages, Threads = 1,
                SampleImages = 0,
            }, images).Train(
                new Callback<StyleGan2Progress>(report =>
                {
                    progress.Add(report with { Elapsed = default, Remaining = default, ImagesPerSecond = 0 });
                    if (report.Step == 5)
                        cancellation?.Cancel();
                }), cancellation?.Token ?? default);
            return (TinyImages.Bytes(model), progress);
        }
    }

    [Fact]
    public void A_codec_and_batch_normalization_are_refused_by_name()
    {
        Assert.Contains("the training of a codec", Refusal(ranks =>
        {
            using var codec = TinyTones.Codec();
            _ = new EnCodecTrainer(codec, new EnCodecTrainingOptions { Collective = ranks }, TinyTones.Create(2, seed: 1));
        }), StringComparison.Ordinal);
        Assert.Contains("the batch normalization 'new layer 1'", Refusal(ranks =>
        {
            using var network = TransferNetwork.Create(null, [Layer.Dense(3), Layer.BatchNormalization()], [2], seed: 3);
            _ = new NetworkTrainer(network, new ModuleTrainingOptions { Collective = ranks });
        }), StringComparison.Ordinal);

        static string Refusal(Action<ICollective> work) => Assert.IsType<NotSupportedException>(
            Assert.Throws<AggregateException>(() => ThreadCollective.Run(2, ranks =>
            {
                work(ranks);
                return 0;
            })).InnerExceptions[0]).Message;
    }

    /// <summary>Networks that are made with numbers of libtorch's generator of the process are made one after the other.</summary>
    private static StyleGan2Model CreateModel()
    {
        lock (s_making)
            return TinyImages.CreateModel();
    }

    private static (float[] Weights, byte[] Bits, double[] Figures) Train(string kind, ICollective? ranks, int rowsOfPass)
    {
        switch (kind)
        {
            case "music":
            {
                using var music = new TinyMusic(TinyMusic.Mono);
                var rows = Enumerable.Range(0, 6).Select(row => new MusicExample(row % 2 == 0 ? "slow flute" : "drums",
                    [
                        .. Enumerable.Range(0, 4)
                            .Select(k => Enumerable.Range(0, 8 + row).Select(t => (7 * row + 3 * k + t) % 64).ToArray()),
                    ])).ToArray();
                var history = new MusicTrainer(
                    music.Model, Common(new MusicTrainingOptions(), ranks, rowsOfPass), rows, rows[..3], music.Tokenizer).Train().History;
                return Result(
                    music.Model.TrainableParameters().Select(p => (Tensor)p.Parameter),
                    history.SelectMany(p => (double?[])[p.Loss, p.GradientNorm, p.Validation?.Loss]));
            }

            case "speech":
            {
                using var model = TinySpeech.Model();
                var history = new SpeechTrainer(
                    model, TinySpeech.Tokenizer, Common(TinySpeech.Options(), ranks, rowsOfPass) with { AverageDecay = 0.5 },
                    TinySpeech.Rows(), TinySpeech.Rows(3)).Train().History;
                return Result(
                    model.TrainableParameters().Select(p => (Tensor)p.Parameter)
                        .Concat(model.Discriminator!.CheckpointTensors().Select(t => t.Value)),
                    history.SelectMany(p => (double?[])
                    [
                        p.GeneratorLoss, p.DiscriminatorLoss, p.AdversarialLoss, p.FeatureLoss, p.MelLoss, p.DurationLoss, p.DivergenceLoss,
                        p.ValidationMelLoss, p.ValidationDivergence, p.ValidationDurationLoss,
                    ]));
            }

            case "pictures of captions":
            {
                using var model = TinyPictures.Create();
                var rows = Enumerable.Range(0, 6).Select(row => new TextToImageExample(
                    row % 2 == 0 ? "red" : "bright", [.. Enumerable.Range(0, 16).Select(place => (row + place) % 8)])).ToArray();
                var history = new TextToImageTrainer(
                    model, Common(new TextToImageTrainingOptions(), ranks, rowsOfPass), rows, rows[..1], TinyPictures.Tokenizer).Train()
                    .History;
                return Result(
                    model.TrainableParameters().Select(p => (Tensor)p.Parameter),
                    history.SelectMany(p => p.LossParts.Values.Select(value => (double?)value)
                        .Concat([p.Loss, p.GradientNorm, p.Validation?.Loss])));
            }

            case "discrete VAE":
            {
                using var codec = SquarePictures.Codec();
                using var images = SquarePictures.Create(6, seed: 1);
                using var validation = SquarePictures.Create(3, seed: 2);
                var history = new DiscreteVaeTrainer(
                    codec, Common(new DiscreteVaeTrainingOptions(), ranks, rowsOfPass), images, validation).Train().History;
                return Result(
                    codec.TrainableParameters().Select(p => (Tensor)p.Parameter),
                    history.SelectMany(p => (double?[])
                    [
                        p.Loss, p.KlDivergence, p.Perplexity, p.UsedShare, p.GradientNorm, p.ValidationLoss, p.ValidationPixelError,
                        p.ValidationPerplexity,
                    ]));
            }

            default:
            {
                using var network = TransferNetwork.Create(null, [Layer.Dense(4, Activation.Tanh), Layer.Dense(2)], [3], seed: 3);
                var history = new NetworkTrainer(network, Common(new ModuleTrainingOptions(), ranks, rowsOfPass)).Train(
                    ArrayRows.Random(6, inputs: 3, targets: 2, seed: 1), ArrayRows.Random(3, inputs: 3, targets: 2, seed: 2)).Epochs;
                return Result(
                    network.TrainableParameters.Select(p => p.Value),
                    history.SelectMany(e => (double?[])[e.Loss, e.Metric, e.ValidationLoss, e.ValidationMetric]));
            }
        }
    }

    /// <summary>
    /// Six rows in steps of four: the second step of an epoch has two. Without a square root of gradients, as Adam has one, of which those
    /// that are zero but for rounding become steps.
    /// </summary>
    private static T Common<T>(T options, ICollective? ranks, int rowsOfPass)
        where T : EpochTrainingOptions => (T)(options with
    {
        Collective = ranks, BatchSize = rowsOfPass, NumberOfEpochs = 2, MaximumSteps = 0, LearningRate = 0.02, Threads = 1,
        Precision = Precision.Float32, Optimizer = OptimizerAlgorithm.StochasticGradientDescent, KeepBestModel = false,
        EvaluationBatchSize = 2, EvaluationSteps = 2, MaximumGradientNorm = 1,
    });

    private static (float[] Weights, byte[] Bits, double[] Figures) Result(IEnumerable<Tensor> weights, IEnumerable<double?> figures)
    {
        var all = weights.ToList();
        return (
            [.. all.SelectMany(tensor => tensor.detach().to(ScalarType.Float32).contiguous().data<float>().ToArray())],
            [.. all.SelectMany(tensor => tensor.detach().contiguous().bytes.ToArray())], [.. figures.OfType<double>()]);
    }

    private static readonly Lock s_making = new();

    private sealed class Callback<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
