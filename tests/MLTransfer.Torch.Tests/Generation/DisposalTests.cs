using System.Runtime.CompilerServices;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Tests.Training;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Language;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

/// <summary>
/// A network that is disposed while it is used. Alone: collecting garbage again and again finds numbers that TorchSharp has handed to
/// libtorch and keeps no longer.
/// </summary>
[Collection(ProcessWideState.Name)]
public class DisposalTests
{
    private const string Prompt = "As our equipment was crude";

    private static readonly GenerationOptions s_options =
        new() { Sample = true, Seed = 1, MaximumNewTokens = 300, EndOfSequenceIds = [] };

    private readonly CausalLanguageModel _model = CausalLanguageModel.Load(TinyGenerator.Folder);
    private readonly TextTokenizer _tokenizer = TextTokenizer.Load(TinyGenerator.Folder);

    [Fact(Timeout = 60_000)]
    public async Task A_text_that_is_being_written_is_finished_and_then_the_weights_are_freed()
    {
        var generator = new TextGenerator(_model, _tokenizer);
        var expected = generator.Generate([Prompt], s_options, TestContext.Current.CancellationToken)[0][0].Text;
        var pieces = new List<string>();
        await foreach (var piece in generator.StreamAsync(Prompt, s_options, TestContext.Current.CancellationToken))
        {
            pieces.Add(piece);
            _model.Dispose();
            Assert.True(pieces.Count > 1 || !_model.TokenEmbedding.IsInvalid, "freed while the stream is read");
        }

        Assert.Equal(expected, string.Concat(pieces));
        Assert.True(_model.TokenEmbedding.IsInvalid);
        Assert.Throws<ObjectDisposedException>(
            () => generator.Generate([Prompt], s_options, TestContext.Current.CancellationToken));
        Assert.Throws<ObjectDisposedException>(
            () => generator.StreamAsync(Prompt, s_options, TestContext.Current.CancellationToken));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_stream_that_begins_after_the_disposal_is_refused_where_it_is_read()
    {
        var stream = new TextGenerator(_model, _tokenizer).StreamAsync(Prompt, s_options, TestContext.Current.CancellationToken);
        _model.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () =>
        {
            await foreach (var piece in stream)
                Assert.Fail("a disposed model writes nothing");
        });
    }

    [Fact(Timeout = 60_000)]
    public async Task A_stream_that_is_left_unread_ends_when_it_is_collected()
    {
        await LeaveUnread(new TextGenerator(_model, _tokenizer).StreamAsync(
            Prompt, s_options with { MaximumNewTokens = int.MaxValue }, CancellationToken.None));
        _model.Dispose();
        Assert.False(_model.TokenEmbedding.IsInvalid, "freed while the stream may still be read");

        while (!_model.TokenEmbedding.IsInvalid)
        {
            GC.Collect();
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static async Task LeaveUnread(IAsyncEnumerable<string> stream) => await stream.GetAsyncEnumerator().MoveNextAsync();
    }

    [Fact]
    public void A_training_whose_model_is_disposed_by_its_own_callback_goes_on_to_its_end()
    {
        var rows = TrainingExamples.Blocks(_tokenizer.Encode(Prompt + ", we made it better with what we had, and it held."), 8);
        using var folder = new TemporaryFolder();
        var options = new LanguageTrainingOptions
        {
            LearningRate = 1e-3, NumberOfEpochs = 3, BatchSize = 2, OutputDirectory = folder.Path, CheckpointSteps = 2,
        };
        var result = new LanguageModelTrainer(_model, options, rows, rows).Train(
            new ProgressCallback(_ => _model.Dispose()), TestContext.Current.CancellationToken);

        Assert.True(result.Steps > 2);
        Assert.NotEmpty(Directory.GetDirectories(folder.Path, "checkpoint-*"));
        Assert.True(_model.TokenEmbedding.IsInvalid);
        Assert.Throws<ObjectDisposedException>(() => new LanguageModelTrainer(_model, options, rows));
    }

    [Fact]
    public void A_disposed_network_is_not_saved()
    {
        using var folder = new TemporaryFolder();
        _model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _model.Save(folder.Path));
        Assert.Throws<ObjectDisposedException>(() => _model.CheckpointTensors());
        Assert.Throws<ObjectDisposedException>(_model.ComputeFingerprint);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }
}
