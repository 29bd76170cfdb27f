using System.Diagnostics;
using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Metrics;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Training;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Checkpoints;

/// <summary>What is no file but looks like one: reading it would never end.</summary>
[Collection(ProcessWideState.Name)]
public sealed class SpecialFileTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("config.json", "pipe")]
    [InlineData("config.json", "/dev/zero")]
    [InlineData("model.safetensors", "/dev/zero")]
    [InlineData("model.safetensors", "pipe")]
    [InlineData("model.safetensors.index.json", "pipe")]
    [InlineData("pytorch_model.bin", "/dev/urandom")]
    [InlineData("generation_config.json", "/dev/zero")]
    [InlineData("tokenizer.json", "/dev/urandom")]
    [InlineData("tokenizer.json", "a pipe itself")]
    [InlineData("vocab.json", "pipe")]
    [InlineData("adapter_config.json", "pipe")]
    [InlineData("script.pt", "pipe")]
    public async Task A_device_or_a_pipe_is_refused_by_name_and_not_waited_for(string file, string target)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Such files are a matter of Unix.");
        Put(file, target);
        Action read = file switch
        {
            "config.json" => () => TransformerNetwork.Load(_folder.Path),
            "generation_config.json" => () => GenerationOptions.FromPretrained(_folder.Path),
            "tokenizer.json" => () => TextTokenizer.Load(_folder.Path),
            "vocab.json" => () =>
            {
                Put("merges.txt", target);
                TextTokenizer.Load(_folder.Path);
            },
            "adapter_config.json" => () =>
            {
                using var model = TinyRun.LoadModel();
                PeftAdapterFolder.Load(model, _folder.Path);
            },
            "script.pt" => () => new TorchScriptFeatureExtractor(_folder[file]).Dispose(),
            _ => () => Checkpoint.Open(_folder.Path),
        };

        var error = await Assert.ThrowsAsync<InvalidDataException>(
            () => Task.Run(read, Cancellation).WaitAsync(s_patience, Cancellation));

        Assert.Contains(_folder[file], error.Message, StringComparison.Ordinal);
        Assert.Contains("a device or a pipe", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fingerprint_and_a_resumed_run_do_not_wait_for_a_pipe()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Such files are a matter of Unix.");
        Put("model.safetensors", "pipe");
        await Assert.ThrowsAsync<InvalidDataException>(
            () => Task.Run(() => ModelFingerprint.Compute(_folder.Path, Cancellation), Cancellation).WaitAsync(s_patience, Cancellation));

        LanguageTrainingOptions Options(int steps) => new()
        {
            MaximumSteps = 2, OutputDirectory = _folder["run"], CheckpointSteps = 1, Resume = true,
        };
        using var model = TinyRun.LoadModel();
        var trainer = new LanguageModelTrainer(model, Options(2), TinyRun.Rows);
        trainer.Train(cancellationToken: Cancellation);
        Directory.Delete(_folder["run/checkpoint-2"], recursive: true);
        File.Delete(_folder["run/metrics.jsonl"]);
        Put("run/metrics.jsonl", "pipe");
        var result = await Task.Run(() => trainer.Train(cancellationToken: Cancellation), Cancellation).WaitAsync(s_patience, Cancellation);
        Assert.Equal(2, result.Steps);
    }

    [Fact]
    public void What_is_longer_than_files_of_its_kind_is_refused_through_a_link_too()
    {
        using (var file = File.Create(_folder["long"]))
            file.SetLength(17 << 20);
        File.CreateSymbolicLink(_folder["config.json"], _folder["long"]);
        var message = Assert.Throws<InvalidDataException>(() => ModelConfigurationFile.Read(_folder.Path)).Message;
        Assert.Contains("config.json", message, StringComparison.Ordinal);
        Assert.Contains($"{17 << 20} bytes", message, StringComparison.Ordinal);
    }

    private void Put(string file, string target)
    {
        if (target.StartsWith('/'))
        {
            File.CreateSymbolicLink(_folder[file], target);
            return;
        }

        var pipe = target == "pipe" ? _folder[file + ".pipe"] : _folder[file];
        using (var maker = Process.Start("mkfifo", pipe))
            maker.WaitForExit();
        if (target == "pipe")
            File.CreateSymbolicLink(_folder[file], pipe);
    }
}
