using MLTransfer.Torch.Generation;
using Xunit;

namespace MLTransfer.Torch.Tests.Generation;

public class GenerationOptionsTests
{
    public static TheoryData<GenerationOptions, string> Invalid => new()
    {
        { new() { MaximumNewTokens = 0 }, nameof(GenerationOptions.MaximumNewTokens) },
        { new() { MinimumNewTokens = 51 }, nameof(GenerationOptions.MinimumNewTokens) },
        { new() { Temperature = 0 }, nameof(GenerationOptions.Temperature) },
        { new() { Temperature = double.NaN }, nameof(GenerationOptions.Temperature) },
        { new() { TopK = -1 }, nameof(GenerationOptions.TopK) },
        { new() { TopP = 1.1 }, nameof(GenerationOptions.TopP) },
        { new() { MinP = -0.1 }, nameof(GenerationOptions.MinP) },
        { new() { TypicalP = 0 }, nameof(GenerationOptions.TypicalP) },
        { new() { RepetitionPenalty = 0 }, nameof(GenerationOptions.RepetitionPenalty) },
        { new() { NoRepeatNgramSize = -1 }, nameof(GenerationOptions.NoRepeatNgramSize) },
        { new() { BeamCount = 0 }, nameof(GenerationOptions.BeamCount) },
        { new() { BeamCount = 2, Sample = true }, "beams are not sampled" },
        { new() { BeamCount = 2, SequencesPerPrompt = 3 }, nameof(GenerationOptions.SequencesPerPrompt) },
        { new() { SequencesPerPrompt = 2 }, "greedy search finds one sequence" },
        { new() { LengthPenalty = double.PositiveInfinity }, nameof(GenerationOptions.LengthPenalty) },
        { new() { EarlyStopping = (EarlyStopping)9 }, nameof(GenerationOptions.EarlyStopping) },
        { new() { StopStrings = ["a", ""] }, nameof(GenerationOptions.StopStrings) },
        { new() { BatchSize = 0 }, nameof(GenerationOptions.BatchSize) },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void An_option_outside_its_range_is_refused_by_name(GenerationOptions options, string expected) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(options.Check).Message, StringComparison.Ordinal);

    [Fact]
    public void Defaults_are_valid() => new GenerationOptions().Check();

    [Fact]
    public void Published_options_are_read()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["generation_config.json"], """
            {"max_new_tokens": 7, "min_new_tokens": 2, "do_sample": true, "temperature": 0.6, "top_k": 40, "top_p": 0.9, "min_p": null,
             "typical_p": 0.95, "repetition_penalty": 1.1, "no_repeat_ngram_size": 3, "early_stopping": "never", "eos_token_id": [1, 2],
             "stop_strings": "\n\n", "unknown": {}}
            """);
        var options = GenerationOptions.FromPretrained(folder.Path);
        Assert.Equal([1, 2], options.EndOfSequenceIds!);
        Assert.Equal(["\n\n"], options.StopStrings);
        Assert.Equal(
            new GenerationOptions
            {
                MaximumNewTokens = 7, MinimumNewTokens = 2, Sample = true, Temperature = 0.6, TopK = 40, TopP = 0.9, TypicalP = 0.95,
                RepetitionPenalty = 1.1,
                NoRepeatNgramSize = 3, EarlyStopping = EarlyStopping.Never, EndOfSequenceIds = options.EndOfSequenceIds,
                StopStrings = options.StopStrings,
            },
            options);
        Assert.Equal([0], GenerationOptions.FromPretrained(TinyGenerator.Folder).EndOfSequenceIds!);
    }

    [Theory]
    [InlineData("encoder_repetition_penalty", "1.2", "1.0")]
    [InlineData("encoder_no_repeat_ngram_size", "3", "0")]
    [InlineData("num_beam_groups", "2", "1")]
    [InlineData("guidance_scale", "1.5", "null")]
    [InlineData("renormalize_logits", "true", "false")]
    [InlineData("exponential_decay_length_penalty", "[5, 1.1]", "null")]
    public void An_entry_that_changes_texts_and_is_not_supported_is_refused_by_name(string name, string value, string neutral)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["generation_config.json"], $$"""{"{{name}}": {{value}}}""");
        var message = Assert.Throws<NotSupportedException>(() => GenerationOptions.FromPretrained(folder.Path)).Message;
        Assert.Contains($"{name} is {value}", message, StringComparison.Ordinal);

        File.WriteAllText(folder["generation_config.json"], $$"""{"{{name}}": {{neutral}}}""");
        Assert.Equal(new GenerationOptions(), GenerationOptions.FromPretrained(folder.Path));
    }

    /// <summary>As BART's summarizers are published: lengths count the decoder's start token.</summary>
    [Theory]
    [InlineData(true, """{"max_length": 142, "min_length": 56}""", 141, 55)]
    [InlineData(true, """{"max_length": 142, "min_length": 56, "max_new_tokens": 7, "min_new_tokens": 3}""", 7, 3)]
    [InlineData(true, "{}", 50, 0)]
    [InlineData(false, """{"max_length": 142, "min_length": 56}""", 50, 0)]
    public void Lengths_of_older_files_are_those_of_an_encoders_decoder(bool hasEncoder, string json, int maximum, int minimum)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["config.json"], hasEncoder ? """{"is_encoder_decoder": true}""" : "{}");
        File.WriteAllText(folder["generation_config.json"], json);
        var options = GenerationOptions.FromPretrained(folder.Path);
        Assert.Equal((maximum, minimum), (options.MaximumNewTokens, options.MinimumNewTokens));
    }

    [Fact]
    public void A_folder_without_options_gives_the_defaults()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(new GenerationOptions(), GenerationOptions.FromPretrained(folder.Path));
    }

    [Theory]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{", "generation_config.json")]
    [InlineData("""{"top_k": 1.5}""", "top_k is 1.5")]
    [InlineData("""{"top_p": "much"}""", "top_p is \"much\"")]
    [InlineData("""{"early_stopping": 3}""", "early_stopping is 3")]
    [InlineData("""{"eos_token_id": [1, "x"]}""", "eos_token_id")]
    [InlineData("""{"stop_strings": [null]}""", "StopStrings")]
    [InlineData("""{"temperature": 0}""", "Temperature is 0")]
    public void Malformed_published_options_are_refused_with_file_and_entry(string json, string expected)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["generation_config.json"], json);
        var exception = Assert.Throws<InvalidDataException>(() => GenerationOptions.FromPretrained(folder.Path));
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.Contains(folder.Path, exception.Message, StringComparison.Ordinal);
    }
}
