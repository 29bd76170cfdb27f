using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Training.Described;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Described;
using MLTransfer.Torch.Training.Language;
using Xunit;
using static TorchSharp.torch;
using Activation = MLTransfer.Torch.Numerics.Activation;

namespace MLTransfer.Torch.Tests.Training;

/// <summary>Runs draw from generators of their own: side by side they end as one after the other.</summary>
[Collection(ProcessWideState.Name)]
public sealed class ConcurrentRunsTests
{
    [Fact]
    public Task Runs_side_by_side_give_the_weights_of_runs_one_after_the_other() => Compare(runs: 12);

    [Fact(Explicit = true)]
    public Task Sixty_runs_side_by_side_give_the_weights_of_runs_one_after_the_other() => Compare(runs: 60);

    [Fact]
    public void A_run_leaves_the_generator_of_the_process_as_it_was()
    {
        foreach (var kind in Enumerable.Range(0, 4))
        {
            using var run = Create(kind);
            manual_seed(9);
            run.Train();
            Assert.Equal(After(9), Draw());
        }

        static float After(long seed)
        {
            using var scope = NewDisposeScope();
            using var generator = new Generator((ulong)seed);
            return rand(1, generator: generator).item<float>();
        }

        static float Draw()
        {
            using var scope = NewDisposeScope();
            return rand(1).item<float>();
        }
    }

    private static async Task Compare(int runs)
    {
        var expected = Enumerable.Range(0, runs).Select(number =>
        {
            using var run = Create(number);
            return run.Train();
        }).ToList();
        var sideBySide = Enumerable.Range(0, runs).Select(Create).ToList(); // new weights are drawn here, where nothing else draws
        var actual = new byte[runs][];
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Factory.StartNew(
            () =>
            {
                while (Interlocked.Increment(ref next) is var number && number < runs)
                    actual[number] = sideBySide[number].Train();
            },
            TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        foreach (var (number, weights) in actual.Index())
        {
            sideBySide[number].Dispose();
            Assert.True(expected[number].AsSpan().SequenceEqual(weights), $"run {number} ends with other weights");
        }

        Assert.Equal(runs, expected.Select(Convert.ToHexString).Distinct().Count());
    }

    /// <summary>
    /// In turn: adapters of a language model, a whole one, described layers, and layers on a module of the user's own, all with dropout.
    /// </summary>
    private static Run Create(int number) => (number % 4) switch
    {
        0 => Language(number, hasAdapters: true),
        1 => Language(number, hasAdapters: false),
        2 => Network(number, pretrained: null, [4]),
        _ => Network(number, Module(number), [4]),
    };

    private static Run Language(int number, bool hasAdapters)
    {
        var model = TinyRun.LoadModel();
        model.Dropout = new DropoutProbabilities(0.1, 0.1, 0.1);
        if (hasAdapters)
        {
            manual_seed(number);
            LowRankAdaptation.Attach(model, new LoraOptions { Rank = 4, Dropout = 0.2, TargetModules = ["c_attn", "mlp.c_fc"] });
        }

        var options = new LanguageTrainingOptions
        {
            MaximumSteps = 3, BatchSize = 2, LearningRate = 2e-3, Seed = number, Precision = Precision.Float32,
            GradientCheckpointing = number % 3 == 0,
        };
        return new Run(model, () =>
        {
            new LanguageModelTrainer(model, options, TinyRun.Rows).Train(cancellationToken: TestContext.Current.CancellationToken);
            return [.. model.TrainableParameters().SelectMany(p => p.Parameter.bytes.ToArray())];
        });
    }

    private static Run Network(int number, ModuleBaseNetwork? pretrained, long[] inputShape)
    {
        var network = TransferNetwork.Create(
            pretrained, [Layer.Dense(8, Activation.Relu), Layer.Dropout(0.3), Layer.Dense(3)], inputShape, seed: number);
        var options = new ModuleTrainingOptions { NumberOfEpochs = 4, BatchSize = 4, Seed = number };
        return new Run(network, () =>
        {
            new NetworkTrainer(network, options).TrainNow(ArrayRows.Random(20, 4, 3, seed: 1));
            return [.. network.State.SelectMany(tensor => tensor.Value.bytes.ToArray())];
        });
    }

    private static ModuleBaseNetwork Module(int number)
    {
        manual_seed(number);
        return new ModuleBaseNetwork(nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.4), nn.Linear(16, 6)), "a module");
    }

    private sealed record Run(IDisposable Model, Func<byte[]> Train) : IDisposable
    {
        public void Dispose() => Model.Dispose();
    }
}
