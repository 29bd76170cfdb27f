using System.Text;
using MLTransfer.Torch.Exports;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Exports;

/// <summary>A Modelfile has the chat template in the language of Go.</summary>
public class OllamaModelfileTests
{
    private const string ChatMl =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>'"
        + " + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    private const string WithUsualSystem =
        "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nBe kind.<|im_end|>\n{% endif %}" + ChatMl;

    private const string Brackets =
        "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}[INST] {{ message['content'] }}"
        + " [/INST]{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'] + eos_token }}"
        + "{% else %}{{ raise_exception('no system') }}{% endif %}{% endfor %}";

    private const string SystemInUser = "{% for message in messages %}{% if message['role'] == 'user' %}[INST] {% if loop.index0 == 1 and"
        + " messages[0]['role'] == 'system' %}<<{{ messages[0]['content'] }}>> {% endif %}{{ message['content'] }} [/INST]"
        + "{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}";

    [Fact]
    public void Turns_of_a_template_become_a_range_over_messages() => Assert.Equal(
        "FROM ./model.gguf\nTEMPLATE \"\"\"{{ range .Messages }}{{ if eq .Role \"user\" }}<|im_start|>user\n{{ .Content }}<|im_end|>\n"
        + "{{ else if eq .Role \"assistant\" }}<|im_start|>assistant\n{{ .Content }}<|im_end|>\n{{ else if eq .Role \"system\" }}"
        + "<|im_start|>system\n{{ .Content }}<|im_end|>\n{{ end }}{{ end }}<|im_start|>assistant\n\"\"\"\nPARAMETER stop \"<|im_end|>\"\n",
        OllamaModelfile.Format("model.gguf", null, Tokenizer(ChatMl)));

    [Fact]
    public void A_usual_system_message_stands_where_there_is_none() => Assert.Contains(
        "{{ if not .System }}<|im_start|>system\nBe kind.<|im_end|>\n{{ end }}{{ range .Messages }}",
        OllamaModelfile.Format("model.gguf", null, Tokenizer(WithUsualSystem)), StringComparison.Ordinal);

    [Fact]
    public void A_template_without_a_system_has_no_such_turn()
    {
        var text = OllamaModelfile.Format("model.gguf", "model.adapter.gguf", Tokenizer(Brackets));
        Assert.StartsWith("FROM ./model.gguf\nADAPTER ./model.adapter.gguf\nTEMPLATE", text, StringComparison.Ordinal);
        Assert.Contains("[INST] {{ .Content }} [/INST]", text, StringComparison.Ordinal);
        Assert.DoesNotContain("system", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{% for message in messages %}{{ message['content'] | upper }}{% endfor %}")]
    [InlineData("{{ messages | length }}")]
    [InlineData(SystemInUser)]
    public void A_template_that_is_more_than_turns_is_left_to_ollama(string template)
    {
        var text = OllamaModelfile.Format("model.gguf", null, Tokenizer(template));
        Assert.DoesNotContain("TEMPLATE", text, StringComparison.Ordinal);
        Assert.Contains("# The chat template is no sequence of turns", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_a_template_continues_the_prompt() => Assert.Equal(
        "FROM ./model.gguf\nTEMPLATE \"\"\"{{ .Prompt }}\"\"\"\n", OllamaModelfile.Format("model.gguf", null, Tokenizer(null)));

    private static TextTokenizer Tokenizer(string? template)
    {
        var trained = TextTokenizer.Train(["any text"], new TokenizerTrainingOptions { VocabularySize = 280 })
            .WithTokens(["<|im_start|>", "<|im_end|>"]);
        return template is null ? trained : TextTokenizer.Load(
            new Dictionary<string, byte[]>(trained.Files) { ["chat_template.jinja"] = Encoding.UTF8.GetBytes(template) });
    }
}
