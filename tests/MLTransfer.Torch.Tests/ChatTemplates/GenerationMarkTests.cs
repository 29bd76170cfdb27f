using MLTransfer.Torch.ChatTemplates;
using Xunit;

namespace MLTransfer.Torch.Tests.ChatTemplates;

public sealed class GenerationMarkTests
{
    private const string Marked = "{% generation %}words{% endgeneration %}";

    [Theory]
    [InlineData("a " + Marked + " b")]
    [InlineData("{% macro f() %}before " + Marked + " behind{% endmacro %}a {{ f() }} b")]
    [InlineData("{% macro f() %}({{ caller() }}){% endmacro %}a {% call f() %}[" + Marked + "]{% endcall %}")]
    [InlineData("{% set x %}é𝒜 " + Marked + "{% endset %}a {{ x }}")]
    [InlineData("{% macro f() %}1 " + Marked + "{% endmacro %}{% macro g() %}2 {{ f() }} 2{% endmacro %}a {{ g() }}")]
    [InlineData("{% macro f() %}1 " + Marked + "{% endmacro %}{% set x = 'a ' + f() ~ 3 ~ '.' %}{{ x }}")]
    [InlineData("{% macro f() %}  1 " + Marked + "  {% endmacro %}a {{ f() | trim }} b")]
    [InlineData("a {% filter trim %}  1 " + Marked + "  {% endfilter %} b")]
    [InlineData("{% for i in [[1]] recursive %}a " + Marked + "{% endfor %}")]
    public void Marks_stand_where_their_words_are_written(string template)
    {
        var rendering = Render(template);
        Assert.Null(rendering.LostGenerationLine);
        Assert.Equal("words", rendering.Text[Assert.Single(rendering.GenerationSpans)]);
    }

    [Fact]
    public void A_text_that_is_written_twice_has_its_marks_twice()
    {
        var rendering = Render("{% set x %}a " + Marked + "{% endset %}{{ x }} {{ x }}");
        Assert.Equal([2..7, 10..15], rendering.GenerationSpans);
    }

    [Theory]
    [InlineData("\n{% set x %}" + Marked + "{% endset %}{{ x | upper }}", "WORDS")]
    [InlineData("\n{% set x %}" + Marked + "{% endset %}{{ x | length }}", "5")]
    [InlineData("\n{% macro f() %}" + Marked + "{% endmacro %}{{ [f(), f()] | join(' ') }}", "words words")]
    [InlineData("\n{% macro f() %}" + Marked + "{% endmacro %}{{ f()[1:] }}", "ords")]
    public void Words_that_are_changed_before_they_are_written_are_told_with_their_line(string template, string text)
    {
        var rendering = Render(template);
        Assert.Equal(text, rendering.Text.Trim());
        Assert.Empty(rendering.GenerationSpans);
        Assert.Equal(2, rendering.LostGenerationLine);
    }

    private static ChatRendering Render(string template) => ChatTemplate.Parse(template).Render(new ChatInput { Messages = "[]" });
}
