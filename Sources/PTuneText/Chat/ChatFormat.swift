/// The formats that go by a name, for models that have no template of their own or one that ptune cannot use.
enum ChatFormat {
  static let names = all.map(\.name)

  static func source(_ name: String) -> String? { all.first { $0.name == name }?.source }

  private static let chatML = """
    {% for message in messages %}
    {{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endfor %}
    {%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- endif %}
    """

  /// Of Llama 2 and of Mistral the system's words stand in the first turn of the user.
  private static func instructions(system: String, begin: String, end: String) -> String {
    """
    {%- set words = namespace(system='') %}
    {%- for message in messages %}
    {%- if message.role == 'system' %}
    {%- set words.system = \(system) %}
    {%- elif message.role == 'user' %}
    {{- \(begin) + words.system + message.content|trim + ' [/INST]' }}
    {%- set words.system = '' %}
    {%- else %}
    {{- ' ' + message.content|trim + \(end) }}
    {%- endif %}
    {%- endfor %}
    """
  }

  private static let all: [(name: String, source: String)] = [
    ("chatml", chatML),
    (
      "llama-2",
      instructions(
        system: "'<<SYS>>\\n' + message.content|trim + '\\n<</SYS>>\\n\\n'", begin: "bos_token + '[INST] '",
        end: "' ' + eos_token")
    ),
    (
      "llama-3",
      """
      {{- bos_token }}
      {%- for message in messages %}
      {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content|trim + '<|eot_id|>' }}
      {%- endfor %}
      {%- if add_generation_prompt %}
      {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
      {%- endif %}
      """
    ),
    (
      "mistral",
      "{{- bos_token }}\n"
        + instructions(
          system: "message.content|trim + '\\n\\n'", begin: "'[INST] '", end: "eos_token")
    ),
    (
      "zephyr",
      """
      {%- for message in messages %}
      {{- '<|' + message.role + '|>\\n' + message.content + eos_token + '\\n' }}
      {%- endfor %}
      {%- if add_generation_prompt %}
      {{- '<|assistant|>\\n' }}
      {%- endif %}
      """
    ),
    (
      "plain",
      """
      {%- for message in messages %}
      {%- if message.role == 'assistant' %}
      {{- 'Assistant: ' + message.content + eos_token + '\\n' }}
      {%- else %}
      {{- message.role|capitalize + ': ' + message.content + '\\n' }}
      {%- endif %}
      {%- endfor %}
      {%- if add_generation_prompt %}
      {{- 'Assistant:' }}
      {%- endif %}
      """
    ),
  ]
}
