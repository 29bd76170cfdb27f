using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Described;
using MLTransfer.Torch.Networks.StyleGan2;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Training.Adversarial;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Checkpoints;

/// <summary>
/// Files of JSON that were damaged at random are read, or refused by the exceptions that are documented, in bounded time and memory.
/// </summary>
[Collection(ProcessWideState.Name)]
public sealed class MutatedFileTests : IDisposable
{
    private const long MaximumAllocation = 64 << 20;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("config.json", 150)]
    [InlineData("generation_config.json", 300)]
    [InlineData("tokenizer.json", 40)]
    [InlineData("tokenizer_config.json", 60)]
    [InlineData("special_tokens_map.json", 60)]
    [InlineData("model.safetensors.index.json", 200)]
    [InlineData("adapter_config.json", 100)]
    [InlineData("trainer_state.json", 60)]
    [InlineData("stylegan2", 60)]
    [InlineData("layers.json", 300)]
    public void A_damaged_file_is_read_or_refused_but_nothing_else_happens(string kind, int rounds)
    {
        var (path, read) = Prepare(kind);
        var content = File.ReadAllBytes(path);
        read();
        var refused = 0;
        rounds = Mutation.Rounds(rounds);
        for (var round = 0; round < rounds; round++)
        {
            File.WriteAllBytes(path, new Mutation(round).Apply(content));
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read();
            }
            catch (Exception exception) when (exception is InvalidDataException or IOException or NotSupportedException)
            {
                Assert.NotEmpty(exception.Message);
                refused++;
            }
            catch (Exception exception)
            {
                Assert.Fail($"round {round}: {exception}");
            }

            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MaximumAllocation);
        }

        Assert.InRange(refused, rounds / 4, rounds);
    }

    private (string Path, Action Read) Prepare(string kind)
    {
        var model = _folder["model"];
        Directory.CreateDirectory(model);
        switch (kind)
        {
            case "config.json":
                Copy("gpt2-tiny", model, "config.json", "model.safetensors");
                return (Path.Combine(model, kind), () => CausalLanguageModel.Load(model).Dispose());
            case "generation_config.json":
                Copy("gpt2-tiny", model, kind);
                return (Path.Combine(model, kind), () => GenerationOptions.FromPretrained(model));
            case "tokenizer.json":
                Copy("gpt2-tiny", model, kind);
                return (Path.Combine(model, kind), () => TextTokenizer.Load(model));
            case "tokenizer_config.json" or "special_tokens_map.json":
                Copy("gpt2-tiny", model, "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json");
                return (Path.Combine(model, kind), () => TextTokenizer.Load(model));
            case "model.safetensors.index.json":
                var files = Directory.GetFiles(RepositoryFiles.Data("gpt2-tiny/sharded"));
                Copy("gpt2-tiny/sharded", model, [.. files.Select(file => Path.GetFileName(file))]);
                return (Path.Combine(model, kind), () =>
                {
                    using var checkpoint = Checkpoint.Open(model);
                    foreach (var name in checkpoint.Tensors.Keys)
                        checkpoint.Read(name).Dispose();
                });
            case "adapter_config.json":
                using (var adapted = Training.TinyRun.LoadModel())
                {
                    LowRankAdaptation.Attach(adapted, new LoraOptions { Rank = 2 });
                    PeftAdapterFolder.Save(adapted, model, "base");
                }

                return (Path.Combine(model, kind), () =>
                {
                    using var network = Training.TinyRun.LoadModel();
                    PeftAdapterFolder.Load(network, model);
                });
            case "trainer_state.json":
                LanguageModelTrainer Trainer(CausalLanguageModel network, bool resume) => new(
                    network,
                    new LanguageTrainingOptions { MaximumSteps = 2, OutputDirectory = model, CheckpointSteps = 2, Resume = resume },
                    Training.TinyRun.Rows, Training.TinyRun.ValidationRows);
                using (var network = Training.TinyRun.LoadModel())
                    Trainer(network, resume: false).Train(cancellationToken: TestContext.Current.CancellationToken);
                return (Path.Combine(model, "checkpoint-2", kind), () =>
                {
                    using var network = Training.TinyRun.LoadModel();
                    Trainer(network, resume: true).Train(cancellationToken: TestContext.Current.CancellationToken);
                });
            case "stylegan2":
                using (var network = TinyImages.CreateModel())
                    network.Save(model);
                return (Path.Combine(model, "config.json"), () => StyleGan2Model.Load(model).Dispose());
            default:
                var path = _folder[kind];
                Layer[] layers =
                [
                    Layer.Convolution(4, 3), Layer.MaximumPooling(), Layer.Upsampling(), Layer.Flatten(), Layer.Dense(3),
                    Layer.Dropout(0.5),
                ];
                File.WriteAllText(path, LayerJson.Write(layers));
                using (var sequence = LayerSequence.Create(layers, [1, 8, 8]))
                    MLTransfer.Torch.Checkpoints.Safetensors.SafetensorsWriter.Write(_folder["layers.safetensors"], sequence.state_dict());
                return (path, () =>
                {
                    using var weights = MLTransfer.Torch.Checkpoints.Safetensors.SafetensorsFile.Open(_folder["layers.safetensors"]);
                    try
                    {
                        LayerSequence.Load(LayerJson.Read(File.ReadAllText(path)), [1, 8, 8], weights).Dispose();
                    }
                    catch (ArgumentException exception)
                    {
                        throw new InvalidDataException("What a description asks for is an argument there.", exception);
                    }
                });
        }
    }

    private static void Copy(string from, string to, params string[] names)
    {
        foreach (var name in names)
            File.Copy(RepositoryFiles.Data($"{from}/{name}"), Path.Combine(to, name));
    }
}
