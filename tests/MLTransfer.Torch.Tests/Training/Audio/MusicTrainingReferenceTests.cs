using System.Text.Json.Nodes;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.MusicGen;
using MLTransfer.Torch.Tests.Networks.MusicGen;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Audio;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Training.Audio;

/// <summary>The reference trainer's logs and final weights, reproduced step by step.</summary>
public sealed class MusicTrainingReferenceTests : IDisposable
{
    private readonly TinyMusic _music = new(TinyMusic.Mono);

    public void Dispose() => _music.Dispose();

    [Fact]
    public void Every_step_and_the_final_weights_equal_the_reference()
    {
        Reproduce("training");
        using var final = _music.Tensors("training.final.safetensors");
        AssertEqualWeights(_music.Model.TrainableParameters().Select(p => KeyValuePair.Create(p.Name, (Tensor)p.Parameter)), final);
    }

    [Fact]
    public void Every_step_and_the_final_adapter_equal_the_reference_with_LoRA()
    {
        PeftAdapterFolder.Load(_music.Model, Path.Combine(_music.Folder, "lora_start"));
        Reproduce("training_lora");
        using var final = SafetensorsFile.Open(Path.Combine(_music.Folder, "lora_end", "adapter_model.safetensors"));
        AssertEqualWeights(PeftAdapterFolder.Tensors(_music.Model), final);
    }

    [Fact]
    public void Labels_are_codes_delayed_but_for_what_the_reference_masks()
    {
        var json = _music.Json("training.json");
        foreach (var (codes, labels) in json["codes"]!.AsArray().Zip(Rows(json)))
        {
            var delayed = _music.Model.Pattern.Delay(TinyMusic.Rows(codes));
            Assert.All(labels.Labels.Zip(delayed), row => Assert.All(row.First.Zip(row.Second), label =>
                Assert.True(label.First == label.Second || label.First == MusicTrainingRow.Ignored)));
        }
    }

    [Fact]
    public void Blocks_that_are_computed_twice_give_the_same_losses_and_gradients()
    {
        var options = Options(_music.Json("training.json")) with { MaximumSteps = 3 };
        using var other = MusicGenModel.Load(_music.Folder);
        var plain = Train(_music.Model, options);
        var twice = Train(other, options with { GradientCheckpointing = true });
        Assert.All(plain.Zip(twice), step =>
        {
            Assert.Equal(step.First.Loss!.Value, step.Second.Loss!.Value, 1e-6);
            Assert.Equal(step.First.GradientNorm!.Value, step.Second.GradientNorm!.Value, 1e-5);
        });
    }

    [Fact]
    public void Accumulated_passes_are_one_step_of_all_their_rows()
    {
        var options = Options(_music.Json("training.json")) with { MaximumSteps = 3 };
        using var other = MusicGenModel.Load(_music.Folder);
        var whole = Train(_music.Model, options);
        var parts = Train(other, options with { BatchSize = 1, GradientAccumulationSteps = 2 });
        Assert.All(whole.Zip(parts), step =>
        {
            Assert.Equal(step.First.Loss!.Value, step.Second.Loss!.Value, 1e-5);
            Assert.Equal(step.First.GradientNorm!.Value, step.Second.GradientNorm!.Value, 1e-4);
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Mixed_precision_follows_the_reference_from_afar(bool hasAdapters)
    {
        if (hasAdapters)
            PeftAdapterFolder.Load(_music.Model, Path.Combine(_music.Folder, "lora_start"));
        var json = _music.Json(hasAdapters ? "training_lora.json" : "training.json");
        var steps = Train(_music.Model, Options(json) with { Precision = Precision.BFloat16 });
        Assert.All(steps.Zip(json["log"]!.AsArray()), step =>
            Assert.Equal(step.Second!["loss"]!.GetValue<double>(), step.First.Loss!.Value, 0.05));
    }

    private void Reproduce(string name)
    {
        var json = _music.Json($"{name}.json");
        var steps = Train(_music.Model, Options(json));
        var log = json["log"]!.AsArray();
        Assert.Equal(log.Count, steps.Count);
        foreach (var (step, expected) in steps.Zip(log))
        {
            var (loss, norm) = (expected!["loss"]!.GetValue<double>(), expected["grad_norm"]!.GetValue<double>());
            Assert.Equal(loss, step.Loss!.Value, 1e-4 * loss); // the reference prints losses with four decimals
            Assert.Equal(norm, step.GradientNorm!.Value, 1e-3 * norm);
            Assert.Equal(expected["learning_rate"]!.GetValue<double>(), step.LearningRate!.Value, 1e-12);
        }
    }

    private IReadOnlyList<MusicProgress> Train(MusicGenModel model, MusicTrainingOptions options) =>
        new MusicTrainer(model, options, Rows(_music.Json("training.json")), [], tokenizer: null)
            .Train(cancellationToken: TestContext.Current.CancellationToken).History;

    private static MusicTrainingOptions Options(JsonNode json)
    {
        var arguments = json["arguments"]!;
        return new MusicTrainingOptions
        {
            Precision = Precision.Float32,
            NumberOfEpochs = arguments["num_train_epochs"]!.GetValue<int>(),
            BatchSize = arguments["per_device_train_batch_size"]!.GetValue<int>(),
            LearningRate = arguments["learning_rate"]!.GetValue<double>(),
            WeightDecay = arguments["weight_decay"]!.GetValue<double>(),
            WarmupSteps = arguments["warmup_steps"]!.GetValue<int>(),
            MaximumGradientNorm = arguments["max_grad_norm"]!.GetValue<double>(),
            Shuffle = false,
            ConditionDropout = 0,
        };
    }

    private static List<MusicTrainingRow> Rows(JsonNode json) =>
    [
        .. json["input_ids"]!.AsArray().Select((ids, row) =>
        {
            var real = TinyMusic.Row(json["attention_mask"]![row]).Sum();
            var labels = TinyMusic.Rows(json["labels"]![row]); // [length][codebooks]
            return new MusicTrainingRow(
                real == 0 ? null : TinyMusic.Row(ids)[..real],
                [.. Enumerable.Range(0, 4).Select(codebook => labels.Select(column => column[codebook]).ToArray())]);
        }),
    ];

    private static void AssertEqualWeights(IEnumerable<KeyValuePair<string, Tensor>> weights, Checkpoint final)
    {
        var compared = 0;
        foreach (var (name, weight) in weights)
        {
            using var expected = final.Read(name);
            var distance = TinyMusic.Distance(weight, expected);
            Assert.True(distance < 1e-5, $"{name}: worst difference {distance}");
            compared++;
        }

        Assert.Equal(final.Tensors.Count, compared);
    }
}
