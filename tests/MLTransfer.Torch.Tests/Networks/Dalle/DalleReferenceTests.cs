using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Networks.Dalle;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Images;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Tests.Networks.Dalle;

/// <summary>What the reference stack computes, writes and trains.</summary>
public class DalleReferenceTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(TinyDalle.Plain)]
    [InlineData(TinyDalle.Rotary)]
    [InlineData(TinyDalle.Reversible)]
    public void Logits_losses_codes_and_pictures_equal_the_reference(string name)
    {
        using var gradients = no_grad();
        using var scope = NewDisposeScope();
        using var model = TinyDalle.Load(name);
        using var file = TinyDalle.Tensors(name, "forward.safetensors");
        var (text, codes) = (file.Read("text_ids"), file.Read("image_codes"));
        var (logits, expected) = (model.Forward(text, codes), file.Read("logits"));
        Assert.True(expected.gt(-1e30).Equals(logits.gt(-1e30)));
        Assert.Equal(float.MinValue, logits.min().item<float>());
        Assert.True(TinyDalle.Distance(logits, expected) < 3e-5);
        var (loss, ofText, ofImage) = model.ComputeLosses(text, codes);
        Assert.Equal(file.Read("loss").item<float>(), loss.item<float>(), 3e-5);
        Assert.Equal(file.Read("loss_text").item<float>(), ofText.item<float>(), 3e-5);
        Assert.Equal(file.Read("loss_image").item<float>(), ofImage.item<float>(), 3e-5);
        Assert.True(model.Codec.Encode(file.Read("images")).Equals(codes));
        var pictures = (file.Read("decoded_images") * 0.5 + 0.5).clamp(0, 1);
        Assert.True(TinyDalle.Distance(model.Codec.Decode(codes), pictures) < 3e-5);
    }

    [Theory]
    [InlineData(TinyDalle.Plain)]
    [InlineData(TinyDalle.Rotary)]
    [InlineData(TinyDalle.Reversible)]
    public void Codes_are_written_as_the_reference_writes_them(string name)
    {
        using var model = TinyDalle.Load(name);
        foreach (var entry in TinyDalle.Json(name, "generation.json")["cases"]!.AsArray())
        {
            var written = TinyDalle.WriteGreedily(
                model, TinyDalle.Numbers(entry!["text_ids"]), TinyDalle.Numbers(entry["prompt_codes"]),
                entry["options"]!["cond_scale"]!.GetValue<double>());
            Assert.Equal(TinyDalle.Numbers(entry["output_codes"]), written);
        }
    }

    [Theory]
    [InlineData(TinyDalle.Plain)]
    [InlineData(TinyDalle.Rotary)]
    [InlineData(TinyDalle.Reversible)]
    public void Training_follows_the_reference(string name)
    {
        var json = TinyDalle.Json(name, "training.json");
        using var model = TinyDalle.Load(name);
        using var scope = NewDisposeScope();
        TextToImageRow[] rows = [.. json["text_ids"]!.AsArray().Select((text, row) => new TextToImageRow(
            json["null_text"]![row]!.GetValue<bool>() ? null : model.PadCaption(TinyDalle.Numbers(text)),
            TinyDalle.Numbers(json["image_codes"]![row])))];
        var arguments = json["arguments"]!;
        var options = new TextToImageTrainingOptions
        {
            Precision = Precision.Float32,
            NumberOfEpochs = 1,
            BatchSize = arguments["per_device_train_batch_size"]!.GetValue<int>(),
            LearningRate = arguments["learning_rate"]!.GetValue<double>(),
            WeightDecay = arguments["weight_decay"]!.GetValue<double>(),
            MaximumGradientNorm = arguments["max_grad_norm"]!.GetValue<double>(),
            LearningRateSchedule = LearningRateSchedule.Linear,
            ConditionDropout = 0,
            Shuffle = false,
        };
        var history = new TextToImageTrainer(model, options, rows, [], tokenizer: null).Train(cancellationToken: Stop).History
            .Where(report => report.Loss is not null).ToList();
        Assert.Equal(json["log"]!.AsArray().Count, history.Count);
        foreach (var (log, report) in json["log"]!.AsArray().Zip(history))
        {
            AssertClose(log!["loss"]!.GetValue<double>(), report.Loss!.Value);
            AssertClose(log["loss_text"]!.GetValue<double>(), report.LossParts!["loss_text"]);
            AssertClose(log["loss_image"]!.GetValue<double>(), report.LossParts["loss_image"]);
            AssertClose(log["grad_norm"]!.GetValue<double>(), report.GradientNorm!.Value);
            Assert.Equal(log["learning_rate"]!.GetValue<double>(), report.LearningRate!.Value, 1e-12);
        }

        using var final = TinyDalle.Tensors(name, "training.final.safetensors");
        var trained = model.CheckpointTensors().ToDictionary();
        Assert.Equal(
            trained.Keys.Where(key => !key.StartsWith("vae.", StringComparison.Ordinal) && key != "transformer.pos_emb").Order(),
            final.Tensors.Keys.Where(key => key != "transformer.pos_emb").Order());
        Assert.All(final.Tensors.Keys, key =>
            Assert.True(TinyDalle.Distance(trained[key].detach(), final.Read(key)) < 1.5e-4, key));

        static void AssertClose(double expected, double actual) => Assert.Equal(expected, actual, expected * 9e-5);
    }

    [Theory]
    [InlineData(TinyDalle.Plain)]
    [InlineData(TinyDalle.Rotary)]
    [InlineData(TinyDalle.Reversible)]
    public void A_saved_model_has_the_names_shapes_and_values_that_the_reference_has(string name)
    {
        using var folder = new TemporaryFolder();
        using var model = TinyDalle.Load(name);
        model.Save(folder.Path);
        using var saved = SafetensorsFile.Open(folder["model.safetensors"]);
        using var reference = TinyDalle.Tensors(name, "model.safetensors");
        Assert.Equal(reference.Tensors.Keys.Order(StringComparer.Ordinal), saved.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.All(reference.Tensors.Keys, tensor =>
        {
            using var scope = NewDisposeScope();
            Assert.True(TinyDalle.Distance(saved.Read(tensor), reference.Read(tensor)) < (tensor == "transformer.pos_emb" ? 1e-3 : 1e-9),
                tensor);
        });
        using var again = DalleModel.Load(folder.Path);
        using var copy = model.Copy();
        Assert.Equal(model.ComputeFingerprint(), again.ComputeFingerprint());
        Assert.Equal(model.ComputeFingerprint(), copy.ComputeFingerprint());
    }

    [Fact]
    public void The_packages_own_file_gives_the_same_model()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(TinyDalle.FolderOf(TinyDalle.Plain), "dalle.pt"), folder["trained.pt"]);
        using var model = TinyDalle.Load(TinyDalle.Plain);
        using var inFolder = Assert.IsType<DalleModel>(MLTransfer.Torch.Networks.GenerativeNetwork.Load(folder.Path));
        using var file = DalleModel.Load(folder["trained.pt"]);
        Assert.Equal(model.ComputeFingerprint(), inFolder.ComputeFingerprint());
        Assert.Equal(model.ComputeFingerprint(), file.ComputeFingerprint());
        Assert.Equal("1.6.6", file.Configuration["version"]!.GetValue<string>());
        Assert.Equal(model.Sizes.Kinds, file.Sizes.Kinds);
    }
}
