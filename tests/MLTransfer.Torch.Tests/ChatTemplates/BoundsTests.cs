using MLTransfer.Torch.ChatTemplates;
using Xunit;

namespace MLTransfer.Torch.Tests.ChatTemplates;

public sealed class BoundsTests
{
    public static TheoryData<string> Nested =>
    [
        $"{{{{ {new string('(', 5_000)}1{new string(')', 5_000)} }}}}",
        $"{{{{ {new string('[', 5_000)}1{new string(']', 5_000)} }}}}",
        $"{{{{ {Repeat("{1:", 5_000)}1{new string('}', 5_000)} }}}}",
        $"{{{{ {Repeat("not ", 5_000)}1 }}}}",
        $"{{{{ {Repeat("- ", 5_000)}1 }}}}",
        $"{{{{ {Repeat("1 if 1 else ", 5_000)}1 }}}}",
        $"{{{{ 1{Repeat("|string", 5_000)} }}}}",
        $"{{{{ 1{Repeat(" + 1", 5_000)} }}}}",
        $"{Repeat("{% if 1 %}", 5_000)}{Repeat("{% endif %}", 5_000)}",
        $"{{% if 0 %}}{Repeat("{% elif 0 %}", 5_000)}{{% endif %}}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f(n) %}{% call f(n) %}{{ caller() }}{% endcall %}{% endmacro %}{{ f(1) }}",
        "{% for n in [[1]] recursive %}{{ loop([n]) }}{% endfor %}",
        "{% set s = namespace(x=[]) %}{% for i in range(100000) %}{% set s.x = [s.x] %}{% endfor %}{{ s.x }}",
        "{% set s = namespace(x=[]) %}{% for i in range(100000) %}{% set s.x = [s.x] %}{% endfor %}{{ s.x | tojson }}",
        "{% set s = namespace() %}{% set s.x = s %}{{ s }}",
    ];

    public static TheoryData<string> Endless =>
    [
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{{ 'a' * 1000000000 }}",
        "{{ [0] * 1000000000 }}",
        "{{ 10 ** 1000000000 }}",
        "{% set s = namespace(x='a') %}{% for i in range(100) %}{% set s.x = s.x + s.x %}{% endfor %}",
        "{% for a in range(100000) %}{{ 'a' * 100000 }}{% endfor %}",
        "{{ 'a'.center(1000000000) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
        "{{ '{:1000000}'.format(1) * 100 }}",
        "{% set s = namespace(x=10) %}{% for i in range(100) %}{% set s.x = s.x * s.x %}{% endfor %}",
    ];

    [Theory]
    [MemberData(nameof(Nested))]
    public void Endless_nesting_is_an_error_that_names_its_line(string template)
    {
        var error = Assert.Throws<ChatTemplateException>(() => Render(template));
        Assert.Equal(1, error.Line);
        Assert.False(error.IsRaised);
    }

    [Fact]
    public void Endless_nesting_is_an_error_on_a_small_stack_too()
    {
        Exception? error = null;
        var thread =
            new Thread(() => error = Record.Exception(() => Render("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}")), 256 * 1024);
        thread.Start();
        thread.Join();
        Assert.IsType<ChatTemplateException>(error);
    }

    [Theory]
    [MemberData(nameof(Endless))]
    public void What_takes_too_much_is_an_error(string template) => Assert.Throws<ChatTemplateException>(() => Render(template));

    [Fact]
    public void An_error_names_the_line_and_what_is_wrong()
    {
        var error = Assert.Throws<ChatTemplateException>(() => Render("a\nb\n{{ messages[0].x.y }}"));
        Assert.Equal(3, error.Line);
        Assert.Contains("line 3", error.Message, StringComparison.Ordinal);
        Assert.Contains("has no item 0", error.Message, StringComparison.Ordinal);
    }

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    private static string Render(string template) => ChatTemplate.Parse(template).Render(new ChatInput { Messages = "[]" }).Text;
}
