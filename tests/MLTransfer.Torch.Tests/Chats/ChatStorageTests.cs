using System.Text;
using System.Text.Json.Nodes;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.ChatTemplates;
using MLTransfer.Torch.Tokenization;
using Xunit;

namespace MLTransfer.Torch.Tests.Chats;

public sealed class ChatStorageTests
{
    private const string Named =
        """[{"name": "default", "template": "usual{{ bos_token }}"}, {"name": "tool_use", "template": "for tools"}]""";

    [Fact]
    public void A_template_is_found_as_text_and_as_a_named_list_of_the_configuration()
    {
        Assert.Equal("one<s>", Render(Files("\"one{{ bos_token }}{{ not_set }}\"")));
        Assert.Equal("usual<s>", Render(Files(Named)));
        Assert.Equal("for tools", Render(Files(Named), tools: "[]"));
        Assert.Equal("for tools", Render(Files(Named), template: "tool_use"));
        Assert.Equal("a text <s>", Render(Files(Named), template: "a text {{ bos_token }}"));
    }

    [Fact]
    public void A_file_goes_before_the_configuration_and_further_files_stand_beside_it()
    {
        var files = Files("\"of the configuration\"");
        Add(files, "chat_template.json", """{"chat_template": "of the processor"}""");
        Assert.Equal("of the configuration", Render(files));
        Add(files, "chat_template.jinja", "of the file");
        Add(files, "additional_chat_templates/tool_use.jinja", "of the folder");
        Assert.Equal("of the file", Render(files));
        Assert.Equal("of the folder", Render(files, tools: "[]"));
        Assert.Equal(["default", "tool_use"], ChatFormat.Find(TextTokenizer.Load(files))!.TemplateNames.Order());
    }

    [Fact]
    public void A_processors_file_is_read_where_nothing_else_has_a_template()
    {
        var files = Files("null");
        Assert.Null(ChatFormat.Find(TextTokenizer.Load(files)));
        Add(files, "chat_template.json", """{"chat_template": "of the processor"}""");
        Assert.Equal("of the processor", Render(files));
    }

    [Fact]
    public void All_templates_are_saved_with_the_tokenizer_and_loaded_again()
    {
        using var folder = new TemporaryFolder();
        var files = Files(Named);
        Add(files, "chat_template.jinja", "of the file");
        Add(files, "chat_template.json", "{}");
        Add(files, "additional_chat_templates/rag.jinja", "{{ eos_token }} of the folder");
        TextTokenizer.Load(files).Save(folder.Path);
        var format = ChatFormat.Load(folder.Path);
        Assert.Equal("of the file", format.Render(new() { Messages = "[]" }).Text);
        Assert.Equal("</s> of the folder", format.Render(new() { Messages = "[]" }, "rag").Text);
        Assert.Equal(files.Keys.Order(), TextTokenizer.Load(folder.Path).Files.Keys.Order());
    }

    [Fact]
    public void Special_tokens_are_variables_that_those_of_the_chat_go_before()
    {
        var files = ChatCases.Files("gemma_fold").ToDictionary();
        Add(files, "chat_template.jinja", "{{ bos_token }}{{ image_token }}{{ additional_special_tokens[1] }}{{ sep_token }}");
        Assert.Equal("<bos><picture></turn>", Render(files));
        var own = new ChatInput { Messages = "[]", Variables = new Dictionary<string, string> { ["bos_token"] = "\"own\"" } };
        Assert.Equal("own<picture></turn>", ChatFormat.Find(TextTokenizer.Load(files))!.Render(own).Text);
    }

    [Theory]
    [InlineData("7", "is no text and no list")]
    [InlineData("""[{"name": "default"}]""", "'template'")]
    [InlineData("""["text"]""", "'name'")]
    public void A_malformed_entry_is_refused_with_its_file(string entry, string what)
    {
        var tokenizer = TextTokenizer.Load(Files(entry));
        var error = Assert.Throws<InvalidDataException>(() => ChatFormat.Find(tokenizer));
        Assert.Contains("tokenizer_config.json", error.Message, StringComparison.Ordinal);
        Assert.Contains(what, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_several_templates_without_a_usual_one_the_names_are_told()
    {
        var error = Assert.Throws<ArgumentException>(() => Render(Files("""[{"name": "rag", "template": ""}]""")));
        Assert.Contains("'rag'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_a_template_is_refused_with_what_is_expected()
    {
        using var folder = new TemporaryFolder();
        TextTokenizer.Load(Files("null")).Save(folder.Path);
        Assert.Contains("chat_template.jinja", Assert.Throws<FileNotFoundException>(() => ChatFormat.Load(folder.Path)).Message,
            StringComparison.Ordinal);
    }

    private static Dictionary<string, byte[]> Files(string template)
    {
        var files = ChatCases.Files("zephyr").ToDictionary();
        var configuration = JsonNode.Parse(files["tokenizer_config.json"])!;
        configuration["chat_template"] = JsonNode.Parse(template);
        Add(files, "tokenizer_config.json", configuration.ToJsonString());
        return files;
    }

    private static void Add(Dictionary<string, byte[]> files, string name, string content) => files[name] = Encoding.UTF8.GetBytes(content);

    private static string Render(Dictionary<string, byte[]> files, string? template = null, string? tools = null) =>
        ChatFormat.Find(TextTokenizer.Load(files))!.Render(new() { Messages = "[]", Tools = tools }, template).Text;
}
